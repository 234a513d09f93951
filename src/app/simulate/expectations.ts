import type { Expectation } from '../../core/scenario.ts';
import { describeEvent } from '../../events/describe.ts';
import { partServed } from './routes.ts';
import type { Simulation } from './run.ts';

export interface Verified {
  readonly ok: boolean;
  /** What was expected and what was found. */
  readonly line: string;
}

/** What the scenario expected of the policy, one by one. */
export function verify(simulation: Simulation): readonly Verified[] {
  return simulation.scenario.expect.map((expectation) => verifyOne(simulation, expectation));
}

function verifyOne(simulation: Simulation, expectation: Expectation): Verified {
  switch (expectation.kind) {
    case 'unserved': {
      const { unserved } = simulation;
      const line = `unserved at most ${percent(expectation.most)}: ${percent(unserved)}`;
      return { ok: unserved <= expectation.most + 1e-9, line };
    }
    case 'shifts': {
      const { shifts } = simulation;
      return { ok: shifts <= expectation.most, line: `shifts at most ${expectation.most}: ${shifts}` };
    }
    case 'shares':
      return sharesAt(simulation, expectation);
    case 'served':
      return servedAt(simulation, expectation);
    case 'event':
      return eventAt(simulation, expectation);
    case 'no-event': {
      const [first] = momentsOf(simulation, expectation);
      const when = first === undefined ? 'never' : `at ${first / 1000} s`;
      const line = `${expectation.type} never says "${expectation.says}": ${when}`;
      return { ok: first === undefined, line };
    }
  }
}

function eventAt(simulation: Simulation, wanted: Expectation & { kind: 'event' }): Verified {
  const moments = momentsOf(simulation, wanted);
  const { atMs, withinMs, type, says } = wanted;
  const fits = (ms: number) => atMs === undefined || (ms >= atMs && ms <= atMs + withinMs);
  const when = atMs === undefined ? '' : ` within ${withinMs / 1000} s of ${atMs / 1000} s`;
  const found = moments.length === 0 ? 'never' : `at ${moments.map((ms) => ms / 1000).join(', ')} s`;
  return { ok: moments.some(fits), line: `${type} says "${says}"${when}: ${found}` };
}

/** When events of a type said something, from the start of the simulation. */
function momentsOf(
  { events, scenario }: Simulation,
  { type, says }: { readonly type: string; readonly says: string },
): readonly number[] {
  return events
    .filter((event) => event.type === type && describeEvent(event).includes(says))
    .map(({ at }) => at - scenario.startAt);
}

function sharesAt({ samples }: Simulation, wanted: Expectation & { kind: 'shares' }): Verified {
  const sample = samples.findLast(({ atMs }) => atMs <= wanted.atMs);
  const names = Object.keys(wanted.shares);
  const ok = names.every(
    (name) => Math.abs((sample?.shares[name] ?? 0) - (wanted.shares[name] ?? 0)) <= wanted.within + 1e-9,
  );
  const list = (shares: Readonly<Record<string, number>> | undefined) =>
    names.map((name) => `${name} ${percent(shares?.[name] ?? 0)}`).join(', ');
  return { ok, line: `at ${wanted.atMs / 1000} s ${list(wanted.shares)}: ${list(sample?.shares)}` };
}

function servedAt({ samples }: Simulation, wanted: Expectation & { kind: 'served' }): Verified {
  const routes = samples.findLast(({ atMs }) => atMs <= wanted.atMs)?.routes ?? {};
  const names = Object.keys(wanted.served);
  const found = (name: string) => partServed(routes[name]);
  const ok = names.every(
    (name) => Math.abs(found(name) - (wanted.served[name] ?? 0)) <= wanted.within + 1e-9,
  );
  const list = (part: (name: string) => number) =>
    names.map((name) => `${name} ${percent(part(name))}`).join(', ');
  return {
    ok,
    line: `at ${wanted.atMs / 1000} s served ${list((name) => wanted.served[name] ?? 0)}: ${list(found)}`,
  };
}

function percent(part: number): string {
  return `${Math.round(part * 1000) / 10} %`;
}
