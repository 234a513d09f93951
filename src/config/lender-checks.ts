import { remedyFor } from './did-you-mean.ts';
import { type Fault, valueFault, warning } from './fault.ts';
import { mapAt, type Path, valueAt } from './path.ts';

/** `buildOn`: somebody must build, and what is built must run on both. */
export function checkLenders(
  root: unknown,
  /** Undefined for a provider nobody knows. */
  transfers: (provider: string) => boolean | undefined,
): readonly Fault[] {
  return Object.keys(mapAt(root, ['applications'])).flatMap((name) => {
    const path = ['applications', name, 'targets'];
    return Object.keys(mapAt(root, path)).flatMap((platform) => check(root, path, platform, transfers));
  });
}

function check(
  root: unknown,
  path: Path,
  platform: string,
  transfers: (provider: string) => boolean | undefined,
): readonly Fault[] {
  const at = [...path, platform, 'buildOn'];
  const lender = valueAt(root, at);
  if (typeof lender !== 'string') return [];
  const others = Object.keys(mapAt(root, path)).filter((one) => one !== platform);
  const kindOf = (one: string): unknown => valueAt(root, ['platforms', one, 'provider']);
  const [own, other] = [kindOf(platform), kindOf(lender)];
  if (!others.includes(lender)) {
    const summary = lender === platform ? 'it cannot take from itself' : 'no other target has this name';
    return [valueFault(at, summary, remedyFor(lender, others))];
  }
  if (own !== other) {
    const summary = `${platform} (${own}) runs nothing that ${lender} (${other}) builds`;
    return [valueFault(at, summary, 'name a target on a platform of the same kind, or remove it')];
  }
  if (typeof own === 'string' && transfers(own) === false) {
    return [valueFault(at, `platforms of the kind ${own} give away nothing that they build`, 'remove it')];
  }
  if (valueAt(root, [...path, lender, 'buildOn']) !== undefined) {
    return [valueFault(at, `${lender} does not build either`, 'name the one that does')];
  }
  if (valueAt(root, [...path.slice(0, -1), 'image']) !== undefined) {
    return [warning(at, 'has no effect: of an image nothing is built', 'remove it')];
  }
  return [];
}
