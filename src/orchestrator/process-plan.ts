import type { Observation, OtherProcessSpec, PlanChange, TargetSpec } from '../core/provider.ts';
import { formatBytes } from '../core/units.ts';

/** What differs in the processes beside web, in the words of `sluice plan`; the same for every platform. */
export function processChanges(want: TargetSpec, seen: Observation): readonly PlanChange[] {
  const wanted = want.processes ?? [];
  const there = seen.processes ?? {};
  const changes = wanted.flatMap((process) => changesOf(process, want, there[process.name]));
  for (const [name, { desired, running }] of Object.entries(there)) {
    if (wanted.some((process) => process.name === name) || desired + running === 0) continue;
    changes.push({ action: 'change', field: `process ${name}`, from: `${desired}`, destructive: true });
  }
  return changes;
}

type Seen = NonNullable<Observation['processes']>[string];

function changesOf(process: OtherProcessSpec, want: TargetSpec, seen: Seen | undefined): PlanChange[] {
  const field = `process ${process.name}`;
  const { instances } = process;
  if (seen === undefined) {
    return [{ action: 'create', field, to: `${instances ?? 0}`, destructive: false }];
  }
  const changes: PlanChange[] = [];
  const add = (what: string, from: string | undefined, to: string): void => {
    if (from === to || from === undefined) return;
    changes.push({ action: 'change', field: `${field} ${what}`, from, to, destructive: true });
  };
  add('command', seen.command, process.command);
  add(
    'memory',
    seen.memoryBytes === undefined ? undefined : formatBytes(seen.memoryBytes),
    formatBytes(process.memoryBytes),
  );
  if (seen.desired > 0) add('release', seen.release, want.release.id);
  if (instances !== undefined) add('instances', `${seen.desired}`, `${instances}`);
  return changes;
}
