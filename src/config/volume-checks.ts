import { type Fault, keyFault, valueFault } from './fault.ts';
import { mapAt, type Path, valueAt } from './path.ts';

export function checkVolume(
  path: Path,
  provider: unknown,
  volume: Readonly<Record<string, unknown>>,
): readonly Fault[] {
  if (provider === 'openshift') {
    return volume['size'] === undefined
      ? [valueFault(path, 'a claim says how much it wants', 'add it: size: 1Gi')]
      : [];
  }
  if (provider !== 'selfhosted') return [];
  return Object.keys(volume).map((key) =>
    keyFault([...path, key], 'a folder of a host has no such thing', 'write volume: {}'),
  );
}

/** A volume that one node may have at a time leaves no room for a second instance, nor for a release beside another. */
export function checkSingleVolumes(path: Path, root: unknown): readonly Fault[] {
  const application = mapAt(root, path);
  const strategy = valueAt(application, ['deploy', 'strategy']);
  const usual =
    valueAt(application, ['instances']) ?? valueAt(application, ['processes', 'web', 'instances']);
  const faults: Fault[] = [];
  for (const [service, given] of Object.entries(mapAt(application, ['services']))) {
    for (const [platform, source] of Object.entries(mapAt(given, ['on']))) {
      const provider = valueAt(root, ['platforms', platform, 'provider']);
      const mode = valueAt(source, ['volume', 'accessMode']) ?? 'ReadWriteOnce';
      if (provider !== 'openshift' || valueAt(source, ['volume']) === undefined || mode !== 'ReadWriteOnce')
        continue;
      const what = `${service} on ${platform} is ReadWriteOnce: one node may have it`;
      const target = mapAt(application, ['targets', platform]);
      for (const key of ['instances', 'maxInstances']) {
        const count = target[key] ?? (key === 'instances' ? usual : undefined);
        if (typeof count === 'number' && count > 1) {
          const remedy = `use ReadWriteMany, or set \`${key}: 1\` there`;
          faults.push(
            valueFault([...path, 'targets', platform], `${what}, and there would be ${count}`, remedy),
          );
        }
      }
      if (strategy === 'canary' || strategy === 'bluegreen') {
        const remedy = 'use ReadWriteMany, or `strategy: rolling`';
        faults.push(valueFault([...path, 'deploy', 'strategy'], `${what}, not two releases`, remedy));
      }
    }
  }
  return faults;
}
