import { SluiceError } from '../core/errors.ts';
import type { Settings } from '../core/settings.ts';

/** What differs, in the words of the file: `application shop`, `platform cf-eu`, `gateway.limits`. */
export function changesBetween(before: Settings, after: Settings): readonly string[] {
  return [
    ...keysThatDiffer(before.platforms, after.platforms).map((name) => `platform ${name}`),
    ...keysThatDiffer(before.applications, after.applications).map((name) => `application ${name}`),
    ...keysThatDiffer({ ...before.gateway }, { ...after.gateway }).map(nameInFile),
    ...(before.state.dir === after.state.dir ? [] : ['state.dir']),
  ];
}

function keysThatDiffer(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !sameSettings(before[key], after[key]));
}

/** Settings are plain JSON, and the same text always makes them in the same order. */
export function sameSettings(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function nameInFile(key: string): string {
  if (key === 'affinityKey') return 'gateway.affinity';
  return key === 'upstreamTls' ? 'platforms.NAME.upstream' : `gateway.${key}`;
}

/** Throws CONFIG_INVALID for what a running gateway is built on. */
export function checkChangeable(before: Settings, after: Settings): void {
  for (const [name, of] of FIXED) {
    if (sameSettings(of(before), of(after))) continue;
    throw new SluiceError('CONFIG_INVALID', `${name} cannot change while the gateway runs`, {
      where: after.file ?? 'the command line',
      why: `it is ${String(of(before))} now and ${String(of(after))} in the file`,
      remedy: 'put it back, or restart `sluice serve` to take it',
    });
  }
}

const FIXED: readonly (readonly [string, (settings: Settings) => string | number])[] = [
  ['state.dir', ({ state }) => state.dir],
  ['gateway.wire', ({ gateway }) => gateway.wire],
  ['gateway.admin.host', ({ gateway }) => gateway.admin.host],
  ['gateway.admin.port', ({ gateway }) => gateway.admin.port],
];
