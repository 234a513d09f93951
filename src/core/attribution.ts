import type { PlatformName } from './ids.ts';

/** Whose fault it is, from joint evidence. */
export type Culprit =
  /** The application fails on one platform only. */
  | 'application-on-platform'
  /** It fails on every platform alike and nothing was deployed lately: something they share. */
  | 'shared-dependency'
  /** It fails on every platform alike since a release came. */
  | 'release'
  /** The platform's router answers and knows no way to the application. */
  | 'route'
  | 'router'
  | 'platform-api'
  | 'network'
  | 'dns'
  | 'ourselves';

export interface Attribution {
  readonly culprit: Culprit;
  /** The platforms it concerns. */
  readonly platforms: readonly PlatformName[];
  /** Epoch milliseconds of the first evidence. */
  readonly since: number;
  /** One sentence. */
  readonly summary: string;
  /** The facts behind it, most telling first. */
  readonly evidence: readonly string[];
  readonly remedy: Remedy;
}

/** What it calls for. `wait`: nothing of ours helps; `rollback` is proposed to a person. */
export type Remedy =
  | 'fail-over'
  | 'restart-application'
  | 'repair-route'
  | 'freeze-deployments'
  | 'rollback'
  | 'serve-last-table'
  | 'wait';
