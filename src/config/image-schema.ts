import { z } from 'zod';
import { type ImageSpec, imageDigest, parseImage } from '../core/image.ts';
import { checkedText, text } from './fields.ts';

/** By digest only: with a tag the same file would be another release tomorrow, and another one on each platform. */
export const imageReference = checkedText(
  {
    says: 'A container image that was built before, by its digest: registry.example.com/shop@sha256:… Instead of `source`. A tag before the digest is taken for a note.',
  },
  '^[^@\\s]+@sha256:[0-9a-f]{64}$',
  (given) => {
    const image = parseImage(given);
    if (image === undefined) {
      return { fault: 'not the name of an image', remedy: 'for example registry.example.com/shop@sha256:…' };
    }
    return image.digest === undefined
      ? {
          fault: 'an image without its digest: the same name may mean other bytes tomorrow',
          remedy:
            'add @sha256:…; `docker buildx imagetools inspect NAME` or `skopeo inspect docker://NAME` prints it',
        }
      : undefined;
  },
);

export const registrySchema = z
  .strictObject({
    username: text({ says: 'Who pulls the image.' }),
    password: text({ says: 'The password or token; write it as a reference.' }),
  })
  .meta({ description: 'With `image`: credentials of its registry. Left out: everybody may pull it.' });

export function assembleImage(input: {
  readonly image?: string | undefined;
  readonly registry?: ImageSpec['registry'] | undefined;
}): { readonly image?: ImageSpec } {
  const { image, registry } = input;
  const name = image === undefined ? undefined : parseImage(image)?.name;
  if (image === undefined || name === undefined) return {};
  const reference = `${name}@${imageDigest({ reference: image })}`;
  return { image: { reference, ...(registry === undefined ? {} : { registry }) } };
}
