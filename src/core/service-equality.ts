import type { PlatformName } from './ids.ts';

/** One service as it is compared between platforms. */
export interface ComparedService {
  readonly name: string;
  /** It is one and the same everywhere: the values are compared too, not only which there are. */
  readonly shared: boolean;
  /** Variables that the file itself gives. */
  readonly given: Readonly<Record<PlatformName, Readonly<Record<string, string>>>>;
  /** Platforms that must be asked for theirs. */
  readonly asked: readonly PlatformName[];
}

/** Of each platform its services, of each of those its variables with something that is equal where the values are. */
export type Digests = Readonly<
  Record<PlatformName, Readonly<Record<string, Readonly<Record<string, string>>>> | undefined>
>;

/**
 * What is missing on a platform that another one has, or is another there than on the others, in words and without
 * any value. Of a platform of which nothing is known nothing is said.
 */
export function serviceFaults(
  compared: readonly ComparedService[],
  digests: Digests,
): Readonly<Record<PlatformName, readonly string[]>> {
  const faults: Record<PlatformName, string[]> = {};
  for (const platform of Object.keys(digests)) if (digests[platform] !== undefined) faults[platform] = [];
  for (const service of compared) {
    const has = new Set(platformsOf(service));
    const there = Object.entries(digests).flatMap(([platform, known]): [PlatformName, Values][] =>
      known === undefined || !has.has(platform) ? [] : [[platform, known[service.name] ?? {}]],
    );
    for (const [platform, fault] of faultsOf(service, there)) faults[platform]?.push(fault);
  }
  return faults;
}

type Values = Readonly<Record<string, string>>;

export function platformsOf({ given, asked }: ComparedService): readonly PlatformName[] {
  return [...Object.keys(given), ...asked];
}

function faultsOf(
  { name, shared }: ComparedService,
  there: readonly (readonly [PlatformName, Values])[],
): readonly (readonly [PlatformName, string])[] {
  const withSome = there.filter(([, values]) => Object.keys(values).length > 0);
  const [first] = withSome;
  if (first === undefined) return [];
  const variables = [...new Set(withSome.flatMap(([, values]) => Object.keys(values)))].sort();
  return there.flatMap(([platform, values]): [PlatformName, string][] => {
    if (Object.keys(values).length === 0) return [[platform, `${name} hands out nothing`]];
    return variables.flatMap((variable): [PlatformName, string][] => {
      const own = values[variable];
      if (own === undefined) {
        const other = withSome.find(([, theirs]) => theirs[variable] !== undefined)?.[0];
        return [[platform, `${variable} is missing, which ${other} has`]];
      }
      const usual = shared ? mostCommon(withSome, variable) : undefined;
      if (usual === undefined || usual.value === own) return [];
      return [[platform, `${variable} is another than on ${usual.platform}`]];
    });
  });
}

/** What most have is taken for right; on a tie what the first one has. */
function mostCommon(
  there: readonly (readonly [PlatformName, Values])[],
  variable: string,
): { readonly value: string; readonly platform: PlatformName } | undefined {
  const found = new Map<string, { readonly platform: PlatformName; count: number }>();
  for (const [platform, values] of there) {
    const value = values[variable];
    if (value === undefined) continue;
    const known = found.get(value);
    if (known === undefined) found.set(value, { platform, count: 1 });
    else known.count += 1;
  }
  const best = [...found].reduce<[string, { platform: PlatformName; count: number }] | undefined>(
    (most, one) => (most === undefined || one[1].count > most[1].count ? one : most),
    undefined,
  );
  return best && { value: best[0], platform: best[1].platform };
}
