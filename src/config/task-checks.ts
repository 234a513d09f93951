import { type Fault, keyFault, valueFault } from './fault.ts';
import { isMap, mapAt, type Path } from './path.ts';

/** Tasks against the targets; `path` is where the application stands. */
export function checkTasks(
  path: Path,
  root: unknown,
  deploys: (platform: string) => boolean | undefined,
): readonly Fault[] {
  const targets = Object.keys(mapAt(root, [...path, 'targets'])).filter((name) => deploys(name) === true);
  const faults: Fault[] = [];
  for (const [name, task] of Object.entries(mapAt(root, [...path, 'tasks']))) {
    if (!isMap(task)) continue;
    const at = [...path, 'tasks', name];
    const { on } = task;
    if (typeof on === 'string' && !targets.includes(on)) {
      const fault = `the application is not deployed to "${on}"`;
      const remedy = targets.length === 0 ? 'there is no such target' : `one of ${targets.join(', ')}`;
      faults.push(valueFault([...at, 'on'], fault, remedy));
    }
    if (task['class'] !== undefined && task['when'] !== 'release') {
      const remedy = 'remove it, or write `when: release`';
      faults.push(keyFault([...at, 'class'], 'only tasks that run with a release have a class', remedy));
    }
    if (targets.length === 0) {
      faults.push(
        valueFault(at, 'there is nothing to run it with: all targets are static', 'remove `tasks`'),
      );
    }
  }
  return faults;
}
