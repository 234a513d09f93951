import { remedyFor } from './did-you-mean.ts';
import { type Fault, valueFault, warning } from './fault.ts';
import { mapAt, type Path, valueAt } from './path.ts';

/** Drills against the targets and against each other; `path` is where the application stands. */
export function checkDrills(path: Path, root: unknown): readonly Fault[] {
  const drills = valueAt(root, [...path, 'drills']);
  if (!Array.isArray(drills)) return [];
  const targets = Object.keys(mapAt(root, [...path, 'targets']));
  const faults: Fault[] = [];
  const seen = new Set<unknown>();
  for (const [i, drill] of drills.entries()) {
    const at = [...path, 'drills', i];
    const platform = valueAt(drill, ['platform']);
    if (typeof platform === 'string' && !targets.includes(platform)) {
      faults.push(valueFault([...at, 'platform'], 'no target has this name', remedyFor(platform, targets)));
    }
    const name = valueAt(drill, ['name']);
    if (name !== undefined && seen.has(name)) {
      faults.push(valueFault([...at, 'name'], 'two drills have this name', 'give each its own'));
    }
    seen.add(name);
  }
  if (drills.length > 0 && targets.length === 1) {
    faults.push(
      warning([...path, 'drills'], 'no drill can begin: there is one platform only', 'add a target'),
    );
  }
  return faults;
}
