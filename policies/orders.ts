import { concerns, isInForce, type OperatorAct } from '../src/core/acts.ts';
import type { PlatformName } from '../src/core/ids.ts';
import type { MaintenanceWindow } from '../src/core/policy-settings.ts';
import { type Draft, withStep } from './draft.ts';
import { drillOrders } from './drills.ts';

/** What people have ordered, and windows in their name, for this decision. */
export interface Orders {
  /** By platform: that its traffic goes elsewhere, and why. */
  readonly drained: Readonly<Record<PlatformName, string>>;
  readonly fenced: Readonly<Record<PlatformName, string>>;
  /** Everything goes there, if it can serve. */
  readonly failover:
    | { readonly platform: PlatformName; readonly why: string; readonly since: number }
    | undefined;
  /** Who waits may return now. */
  readonly failback: readonly PlatformName[];
  /** Who was away for a drill only and is needed now: back at once, with the whole share. */
  readonly recalled: readonly PlatformName[];
  /** Why nothing automatic moves. */
  readonly held: string | undefined;
  /** Why nobody returns now. */
  readonly noFailback: string | undefined;
  readonly weights: Readonly<Record<PlatformName, number>> | undefined;
}

export const NO_ORDERS: Orders = {
  drained: {},
  fenced: {},
  failover: undefined,
  failback: [],
  recalled: [],
  held: undefined,
  noFailback: undefined,
  weights: undefined,
};

const NOTHING_ORDERED = ['nobody has ordered anything'];

/** Collects what is in force. An operator's word stands before a window's; the newest of a kind wins. */
export function orders(draft: Draft): Draft {
  const { facts, now, policy } = draft;
  // So it is most of the time.
  if (!facts.acts?.length && policy.maintenance === undefined && policy.freeze === undefined)
    return withStep(draft, 'acts', NOTHING_ORDERED);
  const inForce = (facts.acts ?? []).filter((act) => isInForce(act, now) && concerns(act, facts.application));
  const drills = drillOrders(facts, inForce);
  const { acts } = drills;
  const found: Orders = {
    drained: {
      ...maintained(draft),
      ...said('drained', reasons(draft, acts, 'drain')),
      ...said(
        'stopping',
        reasons(draft, acts, 'stop', ({ emptying }) => emptying === true),
      ),
    },
    fenced: {
      ...said('fenced', withoutGlass(reasons(draft, acts, 'fence'), acts)),
      ...said(
        'stopped',
        reasons(draft, acts, 'stop', ({ emptying }) => emptying !== true),
      ),
    },
    failover: newest(acts, 'failover', ({ platform, ...act }) =>
      platform === undefined ? undefined : { platform, why: whyOf(act), since: act.since },
    ),
    failback: acts.flatMap(({ kind, platform }) =>
      kind !== 'failback'
        ? []
        : platform === undefined
          ? facts.targets.map((target) => target.platform)
          : [platform],
    ),
    recalled: drills.recalled,
    held: newest(acts, 'hold', whyOf),
    noFailback: policy.freeze?.find(({ window, deny }) => deny.includes('failback') && window.isOpen(now))
      ?.window.text,
    weights: newest(acts, 'weights', (act) => act.weights),
  };
  const lines = acts.map((act) => `${act.kind} ${act.platform ?? 'everything'}: ${whyOf(act)}`);
  for (const [platform, why] of Object.entries(found.drained)) {
    if (!acts.some((act) => act.kind === 'drain' && concerns(act, facts.application, platform))) {
      lines.push(`${platform}: ${why}`);
    }
  }
  lines.push(...drills.lines);
  if (found.noFailback !== undefined) lines.push(`no failback during ${found.noFailback}`);
  return withStep({ ...draft, orders: found }, 'acts', lines.length > 0 ? lines : NOTHING_ORDERED);
}

function maintained(draft: Draft): Record<PlatformName, string> {
  const drained: Record<PlatformName, string> = {};
  for (const entry of draft.policy.maintenance ?? []) {
    if (entry.window.isOpen(draft.now) && !isSkipped(draft, entry)) {
      drained[entry.platform] = `drained, maintenance ${entry.window.text}`;
    }
  }
  return drained;
}

function isSkipped({ facts, before, now }: Draft, { platform, unless }: MaintenanceWindow): boolean {
  return unless?.holds({ facts, state: before, platform, now }) ?? false;
}

function reasons(
  { facts }: Draft,
  acts: readonly OperatorAct[],
  kind: OperatorAct['kind'],
  which: (act: OperatorAct) => boolean = () => true,
): Record<PlatformName, string> {
  const found: Record<PlatformName, string> = {};
  for (const { platform } of facts.targets) {
    const act = acts.findLast((one) => one.kind === kind && concerns(one, facts.application, platform));
    if (act === undefined || !which(act)) continue;
    found[platform] = whyOf(act);
  }
  return found;
}

function said(word: string, why: Record<PlatformName, string>): Record<PlatformName, string> {
  return Object.fromEntries(Object.entries(why).map(([platform, text]) => [platform, `${word}, ${text}`]));
}

/** Only unfencing lifts a fence, or a break-glass order to go there. */
function withoutGlass(
  fenced: Record<PlatformName, string>,
  acts: readonly OperatorAct[],
): Record<PlatformName, string> {
  const ordered = acts.filter(({ kind, breakGlass }) => kind === 'failover' && breakGlass === true);
  return Object.fromEntries(
    Object.entries(fenced).filter(([platform]) => !ordered.some((act) => act.platform === platform)),
  );
}

function newest<T>(
  acts: readonly OperatorAct[],
  kind: OperatorAct['kind'],
  take: (act: OperatorAct) => T | undefined,
): T | undefined {
  const act = acts.findLast((one) => one.kind === kind);
  return act && take(act);
}

function whyOf({ who, reason, breakGlass }: Pick<OperatorAct, 'who' | 'reason' | 'breakGlass'>): string {
  const by = breakGlass === true ? `break-glass by ${who}` : `ordered by ${who}`;
  return reason === '' ? by : `${by}: ${reason}`;
}
