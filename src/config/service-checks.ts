import { type Fault, keyFault, valueFault } from './fault.ts';
import { isMap, mapAt, type Path, valueAt } from './path.ts';
import { checkVolume } from './volume-checks.ts';

const WAYS = ['credentials', 'offering', 'existing', 'volume', 'template'] as const;
const KNOWN_ON = {
  credentials: ['cloudfoundry', 'openshift', 'selfhosted'],
  offering: ['cloudfoundry'],
  existing: ['cloudfoundry', 'openshift'],
  volume: ['openshift', 'selfhosted'],
  template: ['openshift'],
} as const;

/** Each target has each service from exactly one place, and from one that its platform knows. */
export function checkServices(path: Path, root: unknown): readonly Fault[] {
  const targets = Object.keys(mapAt(root, [...path, 'targets']));
  const faults: Fault[] = [];
  for (const [service, given] of Object.entries(mapAt(root, [...path, 'services']))) {
    if (!isMap(given)) continue;
    const on = mapAt(root, [...path, 'services', service, 'on']);
    const at = [...path, 'services', service, 'on'];
    for (const platform of targets) {
      const provider = valueAt(root, ['platforms', platform, 'provider']);
      if (provider !== 'static' && !Object.hasOwn(on, platform)) {
        faults.push(
          valueFault(at, `${platform} has no ${service}`, `add ${platform}: { credentials: { url: … } }`),
        );
      }
    }
    for (const [platform, source] of Object.entries(on)) {
      faults.push(...checkSource([...at, platform], platform, isMap(source) ? source : {}, targets, root));
    }
  }
  return faults;
}

function checkSource(
  path: Path,
  platform: string,
  source: Readonly<Record<string, unknown>>,
  targets: readonly string[],
  root: unknown,
): readonly Fault[] {
  if (!targets.includes(platform)) {
    return [keyFault(path, 'the application has no such target', `one of: ${targets.join(', ')}`)];
  }
  const ways = WAYS.filter((way) => source[way] !== undefined);
  if (ways.length !== 1) {
    return [valueFault(path, 'not one place to have it from', `exactly one of ${WAYS.join(', ')}`)];
  }
  const provider = valueAt(root, ['platforms', platform, 'provider']);
  const [way] = ways;
  const faults: Fault[] = [];
  if (way !== undefined && !KNOWN_ON[way].some((one) => one === provider)) {
    faults.push(
      keyFault([...path, way], `${String(provider)} has no such thing`, 'give its `credentials` here'),
    );
  }
  if (way === 'offering' && source['plan'] === undefined) {
    faults.push(valueFault(path, 'an offering has several plans', 'name one: plan: small'));
  }
  for (const key of ['plan', 'parameters']) {
    if (way !== 'offering' && source[key] !== undefined)
      faults.push(keyFault([...path, key], 'this is said of an offering only', 'remove it'));
  }
  if (source['bind'] !== undefined && (provider !== 'cloudfoundry' || way === 'credentials')) {
    const what = 'only what Cloud Foundry binds is told anything';
    faults.push(keyFault([...path, 'bind'], what, 'remove it'));
  }
  if (way === 'volume') faults.push(...checkVolume([...path, 'volume'], provider, mapAt(source, ['volume'])));
  return faults;
}
