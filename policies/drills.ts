import type { OperatorAct } from '../src/core/acts.ts';
import type { Facts } from '../src/core/facts.ts';
import type { PlatformName } from '../src/core/ids.ts';

export interface DrillOrders {
  /** All but the drains of drills that give way. */
  readonly acts: readonly OperatorAct[];
  /** Who was away for a drill and is wanted back at once, with its whole share. */
  readonly recalled: readonly PlatformName[];
  readonly lines: readonly string[];
}

/**
 * A drill stands below a person's order and below a real failover: its drain gives way in the same decision that
 * learns of them, and does not wait until the drill has noticed. `acts` are those in force.
 */
export function drillOrders(facts: Facts, acts: readonly OperatorAct[]): DrillOrders {
  const lines: string[] = [];
  const recalled: PlatformName[] = [];
  const standing = acts.filter((act) => {
    if (act.drill === undefined || act.platform === undefined) return true;
    if (act.kind === 'failback' && act.atOnce === true) recalled.push(act.platform);
    const why = act.kind === 'drain' ? higherThan(act, facts, acts) : undefined;
    if (why === undefined) return true;
    recalled.push(act.platform);
    lines.push(`${act.who} gives way: ${why}`);
    return false;
  });
  return { acts: standing, recalled, lines };
}

function higherThan(
  { since, platform }: OperatorAct,
  facts: Facts,
  acts: readonly OperatorAct[],
): string | undefined {
  // A hold stops the drill, and stops its return just as well.
  const order = acts.find(
    (one) =>
      one.drill === undefined &&
      one.kind !== 'hold' &&
      (one.platform === undefined || facts.targets.some((target) => target.platform === one.platform)) &&
      (one.breakGlass === true || one.since >= since),
  );
  if (order !== undefined) return `${order.who} ordered ${order.kind}`;
  const lost = facts.targets.find((one) => one.platform !== platform && one.verdict.state === 'down');
  return lost && `${lost.platform} is down`;
}
