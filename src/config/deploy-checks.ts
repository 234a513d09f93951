import { type Fault, valueFault, warning } from './fault.ts';
import { mapAt, type Path, valueAt } from './path.ts';

/** `deploy` against the targets; `path` is where the application stands. */
export function checkDeploy(
  path: Path,
  root: unknown,
  deploys: (platform: string) => boolean | undefined,
): readonly Fault[] {
  const deploy = mapAt(root, [...path, 'deploy']);
  const targets = Object.keys(mapAt(root, [...path, 'targets'])).filter((name) => deploys(name) === true);
  const faults: Fault[] = [];
  const [, quorum] = /^quorum\((\d+)\)$/.exec(String(deploy['onTargetFailure'])) ?? [];
  if (quorum !== undefined && Number(quorum) > targets.length) {
    const why = `there are ${targets.length} platforms to deploy to: no release could reach it`;
    const at = [...path, 'deploy', 'onTargetFailure'];
    faults.push(valueFault(at, why, `at most quorum(${Math.max(1, targets.length)})`));
  }
  const strategy = valueAt(deploy, ['strategy']);
  if (targets.length === 0 && (strategy === 'canary' || strategy === 'bluegreen')) {
    const what = 'nothing is deployed: all targets are static';
    faults.push(warning([...path, 'deploy', 'strategy'], what, 'remove `deploy`'));
  }
  return faults;
}
