// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { describe, expect, it } from '@jest/globals';
import { faultsOf, loadText } from './support.ts';

const DIGEST = `sha256:${'d'.repeat(64)}`;
const file = (keys: string, target = 'ocp'): string => `version: 1
platforms:
  ocp: { provider: openshift, api: "https://api.ocp", namespace: n, credentials: { token: "\${TOKEN}" } }
  rack: { provider: selfhosted, driver: process }
applications:
  shop:
    ${keys}
    targets: { ${target}: {} }
`;
const env = { TOKEN: 'token-of-the-platform', PULL: 'planted-canary' };
const faults = (keys: string, target?: string) =>
  faultsOf(file(keys, target), { env }).filter((one) => !one.includes('no application runs here'));

describe('an application that is a container image', () => {
  it('is known by its digest; a tag before it is a note', () => {
    const registry = 'registry: { username: me, password: "${PULL}" }';
    const { settings } = loadText(file(`image: quay.io/team/shop:1.2@${DIGEST}\n    ${registry}`), { env });
    expect(settings?.applications['shop']).toMatchObject({
      source: undefined,
      image: {
        reference: `quay.io/team/shop@${DIGEST}`,
        registry: { username: 'me', password: 'planted-canary' },
      },
    });
    expect(settings?.secrets).toContain('planted-canary');
  });

  it('needs its digest, for a tag may mean other bytes tomorrow', () => {
    expect(faults('image: quay.io/team/shop:1.2')).toEqual([
      expect.stringMatching(/applications\.shop\.image.*without its digest.*add @sha256:/),
    ]);
    expect(faults('image: "Not An Image"')).toEqual([expect.stringContaining('not the name of an image')]);
  });

  it('is not files as well, and credentials belong to an image', () => {
    expect(faults(`image: shop@${DIGEST}\n    source: .`)).toEqual([
      expect.stringContaining('files already'),
    ]);
    expect(faults('source: .\n    registry: { username: me, password: "${PULL}" }')).toEqual([
      expect.stringContaining('and no image'),
    ]);
  });

  it('says it when a password stands in clear', () => {
    const keys = `image: shop@${DIGEST}\n    registry: { username: me, password: planted-canary }`;
    expect(faults(keys)).toEqual([expect.stringContaining('a secret stands in clear')]);
  });

  it('is refused at once where a platform runs programs only', () => {
    expect(faults(`image: shop@${DIGEST}`, 'rack')).toEqual([
      expect.stringMatching(/targets\.rack.*runs no container images/),
    ]);
  });
});
