import { type Fault, keyFault, valueFault } from './fault.ts';
import { JOB_KEYS } from './job-schema.ts';
import { isMap, mapAt, type Path, valueAt } from './path.ts';

/** Web given twice, and what makes no sense of the others. */
export function checkProcesses(path: Path, root: unknown): readonly Fault[] {
  const faults: Fault[] = [];
  for (const key of ['command', 'instances', 'memory']) {
    const direct = valueAt(root, [...path, key]);
    const inWeb = valueAt(root, [...path, 'processes', 'web', key]);
    if (direct === undefined || inWeb === undefined) continue;
    faults.push(
      keyFault(
        [...path, 'processes', 'web', key],
        `${key} is given twice`,
        `\`${key}\` on the application means this one: keep one of the two`,
      ),
    );
  }
  for (const [name, given] of Object.entries(mapAt(root, [...path, 'processes']))) {
    faults.push(...checkOtherProcess([...path, 'processes', name], isMap(given) ? given : {}));
  }
  return faults;
}

function checkOtherProcess(path: Path, given: Readonly<Record<string, unknown>>): readonly Fault[] {
  const { runOn = 'all', takeOver, command, schedule } = given;
  const faults: Fault[] = [...checkJob(path, given)];
  if (path.at(-1) === 'web' && schedule !== undefined) {
    faults.push(keyFault([...path, 'schedule'], 'web runs all the time', 'give it a process of its own'));
  } else if (path.at(-1) === 'web') {
    if (runOn !== 'all') {
      faults.push(
        valueFault([...path, 'runOn'], 'web runs on every target', 'remove it; `standby` says who waits'),
      );
    }
  } else if (command === undefined) {
    faults.push(
      valueFault(path, 'a process beside web needs a command', 'for example { command: node worker.js }'),
    );
  }
  if (takeOver !== undefined && schedule === undefined && runOn !== 'one') {
    faults.push(
      keyFault([...path, 'takeOver'], 'nothing is taken over here', 'remove it, or write runOn: one'),
    );
  }
  return faults;
}

function checkJob(path: Path, given: Readonly<Record<string, unknown>>): readonly Fault[] {
  const [keys, what, remedy] =
    given['schedule'] === undefined
      ? [JOB_KEYS, 'it runs all the time', 'remove it, or write `schedule`']
      : [['instances', 'takeOver'], 'it runs by the clock, once at a time', 'remove it'];
  return keys.filter((key) => given[key] !== undefined).map((key) => keyFault([...path, key], what, remedy));
}
