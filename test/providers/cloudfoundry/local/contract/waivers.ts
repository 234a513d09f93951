import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const waiverSchema = z.strictObject({
  /** The documented example, or the specification. */
  against: z.enum(['example', 'openapi']),
  /** Pages; `apps.*` and `*` stand for several. */
  pages: z.array(z.string()),
  /** The difference, word for word; of a listed resource without `resources[].`. */
  differences: z.array(z.string()),
  reason: z.string().min(10),
});

/** Where the local platform differs from what is written, and why that is right. */
export interface Waivers {
  readonly count: number;
  /** Those nobody has a reason for. */
  unwaived(against: 'example' | 'openapi', page: string, differences: readonly string[]): readonly string[];
  /** Waivers, or parts of one, that nothing needed: they must go. */
  unused(): readonly string[];
}

export function readWaivers(): Waivers {
  const file = fileURLToPath(new URL('./waivers.json', import.meta.url));
  const waivers = z.array(waiverSchema).parse(JSON.parse(readFileSync(file, 'utf8')));
  const needed = new Set<string>();

  return {
    count: waivers.reduce((sum, { differences }) => sum + differences.length, 0),
    unwaived: (against, page, differences) =>
      differences
        .map((difference) => difference.replace(/^resources\[\]\./, '').replace(/^resources\.\[\]\./, ''))
        .filter((difference) => {
          const found = waivers.filter(
            (waiver) =>
              waiver.against === against &&
              waiver.differences.includes(difference) &&
              waiver.pages.some((pattern) => covers(pattern, page)),
          );
          for (const waiver of found) {
            needed.add(`${waivers.indexOf(waiver)} ${difference}`);
            for (const pattern of waiver.pages) {
              if (covers(pattern, page)) needed.add(`${waivers.indexOf(waiver)} ${pattern}`);
            }
          }
          return found.length === 0;
        }),
    unused: () =>
      waivers.flatMap(({ against, pages, differences }, index) =>
        [...pages, ...differences]
          .filter((part) => !needed.has(`${index} ${part}`))
          .map((part) => `${against} ${pages.join(', ')}: ${part}`),
      ),
  };
}

function covers(pattern: string, page: string): boolean {
  return (
    pattern === '*' || pattern === page || (pattern.endsWith('.*') && page.startsWith(pattern.slice(0, -1)))
  );
}
