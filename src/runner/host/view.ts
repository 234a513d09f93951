import type { RunningInstance } from '../../core/runner.ts';
import type { ReleaseRecord } from './state.ts';

/** What the daemon answers about an application: its own words, which the provider translates. */
export interface ApplicationView {
  readonly releases: readonly ReleaseView[];
}

interface ReleaseView {
  readonly id: string;
  readonly digest: string;
  readonly phase: ReleaseRecord['at']['phase'];
  /** Beside the one that serves. */
  readonly trial: boolean;
  readonly wanted: number;
  /** Epoch milliseconds since when it is `starting` or `running`; 0 otherwise. */
  readonly since: number;
  readonly command: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly failure: { readonly reason: string; readonly logTail: readonly string[] } | null;
  readonly instances: readonly InstanceView[];
}

export interface InstanceView {
  readonly id: string;
  readonly state: RunningInstance['state'];
  readonly port: number;
  readonly pid: number | null;
  readonly restarts: number;
  readonly since: number;
  readonly reason: string | null;
  /** Share of one core; null before the first look. */
  readonly cpu: number | null;
  readonly memoryBytes: number | null;
}

export function releaseView(
  id: string,
  release: ReleaseRecord,
  instances: readonly RunningInstance[],
): ReleaseView {
  const { at } = release;
  const runs = at.phase === 'starting' || at.phase === 'running';
  return {
    id,
    digest: release.digest,
    phase: at.phase,
    trial: runs && at.trial === true,
    wanted: runs ? at.wanted : 0,
    since: runs ? at.since : 0,
    command: runs ? at.run.command : null,
    env: runs ? at.run.env : {},
    failure: at.phase === 'failed' ? at.failure : null,
    instances: instances.map(instanceView),
  };
}

function instanceView(one: RunningInstance): InstanceView {
  return {
    id: one.id,
    state: one.state,
    port: one.port,
    pid: one.pid ?? null,
    restarts: one.restarts,
    since: one.since,
    reason: one.reason ?? null,
    cpu: one.usage?.cpu ?? null,
    memoryBytes: one.usage?.memoryBytes ?? null,
  };
}
