import type { PlatformName } from '../../core/ids.ts';
import { partServed } from './routes.ts';
import type { Sample, Simulation } from './run.ts';

const BARS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * One row a platform with its share over time, one with the demand and one with what nobody served; `columns` is the
 * width of a row without its name. Each column is a mean of the seconds it stands for.
 */
export function chart({ samples, scenario }: Simulation, columns = 60): readonly string[] {
  const platforms = scenario.platforms.map(({ target }) => target.platform);
  const names = [...platforms, ...scenario.routes.map(({ name }) => name)];
  const width = Math.max(8, ...names.map((name) => name.length));
  const cells = bins(samples, columns);
  const top = Math.max(1e-9, ...samples.map(({ demandRps }) => demandRps));
  const row = (name: string, read: (sample: Sample) => number, note: string) =>
    `${name.padEnd(width)} │${cells.map((cell) => bar(mean(cell, read))).join('')}│ ${note}`;
  const last = samples.at(-1);
  return [
    ...platforms.map((name) =>
      row(
        name,
        ({ shares }) => shares[name] ?? 0,
        `${percent(last?.shares[name] ?? 0)} at the end${grown(samples, name)}`,
      ),
    ),
    ...scenario.routes.map(({ name, priority }) =>
      row(
        name,
        ({ routes }) => partServed(routes?.[name]),
        `served, priority ${priority}, at worst ${percent(worstOf(samples, name))}`,
      ),
    ),
    row('demand', ({ demandRps }) => demandRps / top, `up to ${Math.round(top)} rps`),
    row(
      'unserved',
      ({ demandRps, servedRps }) => (demandRps === 0 ? 0 : (demandRps - servedRps) / demandRps),
      `${percent(unservedOf(samples))} of all`,
    ),
    `${''.padEnd(width)} └${'─'.repeat(cells.length)}┘ 0 to ${Math.round(scenario.durationMs / 1000)} s`,
  ];
}

function bins(samples: readonly Sample[], columns: number): readonly (readonly Sample[])[] {
  const count = Math.min(columns, samples.length);
  return Array.from({ length: count }, (_, i) =>
    samples.slice(Math.floor((i * samples.length) / count), Math.floor(((i + 1) * samples.length) / count)),
  );
}

/** Anything above nothing shows. */
function bar(value: number): string {
  if (value <= 0.001) return BARS[0];
  return BARS[Math.min(8, Math.max(1, Math.round(value * 8)))] ?? BARS[8];
}

function mean(cell: readonly Sample[], read: (sample: Sample) => number): number {
  return cell.reduce((total, sample) => total + read(sample), 0) / Math.max(1, cell.length);
}

function grown(samples: readonly Sample[], name: PlatformName): string {
  const counts = samples.map(({ instances }) => instances[name] ?? 0);
  const first = counts[0] ?? 0;
  const most = Math.max(first, ...counts);
  return most > first ? `, ${first} → ${most} instances` : '';
}

function worstOf(samples: readonly Sample[], name: string): number {
  return samples.reduce((worst, { routes }) => Math.min(worst, partServed(routes?.[name])), 1);
}

function unservedOf(samples: readonly Sample[]): number {
  const demanded = samples.reduce((total, { demandRps }) => total + demandRps, 0);
  const served = samples.reduce((total, { servedRps }) => total + servedRps, 0);
  return demanded === 0 ? 0 : Math.max(0, 1 - served / demanded);
}

function percent(part: number): string {
  return `${Math.round(part * 1000) / 10} %`;
}
