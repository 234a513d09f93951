import { remedyFor } from './did-you-mean.ts';
import { type Fault, keyFault, valueFault, warning } from './fault.ts';
import { isMap, mapAt, type Path, valueAt } from './path.ts';

/** `data` against the targets: a writer that does not exist would leave all writes unanswered. */
export function checkData(path: Path, root: unknown): readonly Fault[] {
  const data = [...path, 'data'];
  const writes = valueAt(root, [...data, 'writes']);
  const writer = valueAt(root, [...data, 'writer']);
  const targets = Object.keys(mapAt(root, [...path, 'targets']));
  const faults: Fault[] = [];
  if (writes !== 'single') {
    for (const key of ['writer', 'promote', 'promoteTimeout']) {
      if (valueAt(root, [...data, key]) === undefined) continue;
      faults.push(
        keyFault([...data, key], 'there is no single writer', 'add `writes: single`, or remove it'),
      );
    }
    return faults;
  }
  if (writer === undefined) {
    const remedy = `add \`writer:\` with one of: ${targets.join(', ')}`;
    faults.push(valueFault([...data, 'writes'], 'nobody is named who begins as the writer', remedy));
  } else if (typeof writer === 'string' && !targets.includes(writer)) {
    faults.push(
      valueFault([...data, 'writer'], 'the application has no such target', remedyFor(writer, targets)),
    );
  }
  if (
    valueAt(root, [...data, 'promote']) === undefined &&
    valueAt(root, [...data, 'promoteTimeout']) !== undefined
  ) {
    faults.push(
      keyFault([...data, 'promoteTimeout'], 'there is no command to wait for', 'add `promote:` or remove it'),
    );
  }
  return faults;
}

/** How far targets may grow against what they begin with, and against what tells how far they must. */
export function checkGrowth(path: Path, root: unknown): readonly Fault[] {
  const targets = valueAt(root, [...path, 'targets']);
  if (!isMap(targets)) return [];
  const common =
    valueAt(root, [...path, 'instances']) ?? valueAt(root, [...path, 'processes', 'web', 'instances']);
  const faults: Fault[] = [];
  for (const name of Object.keys(targets)) {
    const at = [...path, 'targets', name];
    const read = (key: string): unknown => valueAt(root, [...at, key]);
    const max = read('maxInstances');
    const least = read('instances') ?? (read('standby') === 'pilot-light' ? 1 : (common ?? 1));
    if (max === undefined && read('standby') === 'pilot-light') {
      faults.push(valueFault([...at, 'standby'], 'it could never grow', 'add `maxInstances` and `capacity`'));
    }
    if (typeof max !== 'number') continue;
    if (typeof least === 'number' && max < least) {
      const what = `it begins with ${least} instances`;
      faults.push(
        valueFault([...at, 'maxInstances'], what, `give at least ${least}, or fewer \`instances\``),
      );
    }
    const capacity = read('capacity');
    if (typeof capacity !== 'string' || !capacity.endsWith('/instance')) {
      const what = 'it never grows: nobody knows how much an instance carries';
      faults.push(warning([...at, 'maxInstances'], what, 'add for example `capacity: 90rps/instance`'));
    }
  }
  return faults;
}
