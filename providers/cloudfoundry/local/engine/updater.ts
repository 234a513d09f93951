/** What the updater knows of one ACTIVE deployment when it comes by. */
export interface UpdaterView {
  readonly phase: 'PREPAUSED' | 'DEPLOYING' | 'PAUSED' | 'CANCELING';
  readonly maxInFlight: number;
  /** Instances the new process shall have at the end of this phase. */
  readonly wanted: number;
  /** New and old together at the end of this phase. */
  readonly total: number;
  readonly fresh: {
    /** As set, not as running. */
    readonly instances: number;
    readonly starting: number;
    /** Crashed or down. */
    readonly unhealthy: number;
    readonly routable: number;
  };
  /** All other web processes, oldest first. */
  readonly old: readonly { readonly guid: string; readonly instances: number }[];
}

type UpdaterStep =
  | { readonly kind: 'wait'; readonly why: string }
  | {
      readonly kind: 'scale';
      readonly fresh: number;
      /** Only those that change. */
      readonly old: readonly { readonly guid: string; readonly instances: number }[];
      /** The new process was seen in order. */
      readonly healthy: boolean;
    }
  | { readonly kind: 'pause' }
  | { readonly kind: 'finalize' }
  | { readonly kind: 'cancel' };

/**
 * One tick of the deployment updater. A new version that crashes makes it wait for ever with the old capacity kept:
 * the Cloud Controller never rolls back by itself.
 */
export function nextStep(view: UpdaterView): UpdaterStep {
  if (view.phase === 'CANCELING') return { kind: 'cancel' };
  if (view.phase === 'PAUSED') return { kind: 'wait', why: 'paused until it is continued' };

  const { fresh, maxInFlight, wanted } = view;
  const oldNow = view.old.reduce((sum, process) => sum + process.instances, 0);
  const oldWanted = Math.max(0, view.total - fresh.routable);
  const tooMany = oldNow - oldWanted;
  if (fresh.instances >= wanted && fresh.routable >= wanted && tooMany <= 0) {
    return { kind: view.phase === 'PREPAUSED' ? 'pause' : 'finalize' };
  }

  const inOrder =
    fresh.starting < maxInFlight &&
    fresh.unhealthy === 0 &&
    // Fewer routable ones than set and not starting either: the cells have not caught up yet.
    fresh.routable >= fresh.instances - maxInFlight;
  const grown =
    inOrder && fresh.instances < wanted ? Math.min(fresh.routable + maxInFlight, wanted) : fresh.instances;
  if (grown === fresh.instances && tooMany <= 0) {
    return { kind: 'wait', why: fresh.unhealthy > 0 ? 'new instances crash' : 'new instances start' };
  }
  return { kind: 'scale', fresh: grown, old: shrink(view.old, tooMany), healthy: inOrder };
}

/** Takes `count` instances away, from the oldest process first. */
function shrink(
  old: UpdaterView['old'],
  count: number,
): readonly { readonly guid: string; readonly instances: number }[] {
  const changed: { guid: string; instances: number }[] = [];
  let left = count;
  for (const { guid, instances } of old) {
    if (left <= 0) break;
    const taken = Math.min(left, instances);
    left -= taken;
    if (taken > 0) changed.push({ guid, instances: instances - taken });
  }
  return changed;
}

/** Instances during one canary step: the canaries, and the old ones that stay beside them (one more than needed). */
export function canaryStep(
  instances: number,
  weight: number | undefined,
): { readonly canary: number; readonly original: number } {
  if (weight === undefined) return { canary: 1, original: instances };
  const canary = Math.max(1, Math.round((instances * weight) / 100));
  return { canary, original: weight === 100 ? 0 : instances - canary + 1 };
}
