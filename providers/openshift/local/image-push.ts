import { IMAGE_STREAMS } from './resources.ts';
import type { Store } from './store.ts';

/** What the registry does after a push: the tag's newest image is this one. */
export function pushImage(
  store: Store,
  namespace: string,
  output: { readonly stream: string; readonly tag: string },
  digest: string,
): void {
  store.change(IMAGE_STREAMS, namespace, output.stream, (draft) => {
    const tags = draft.status.tags ?? [];
    let entry = tags.find((candidate) => candidate.tag === output.tag);
    if (!entry) {
      entry = { tag: output.tag, items: [] };
      tags.push(entry);
    }
    // Pushing what is there already is no new image.
    if (entry.items[0]?.image === digest) return;
    entry.items.unshift({
      created: store.now(),
      dockerImageReference: `${draft.status.dockerImageRepository}@${digest}`,
      image: digest,
      generation: (entry.items[0]?.generation ?? 0) + 1,
    });
    draft.status.tags = tags;
  });
}
