import type { WireError } from './errors.ts';
import type { ApplicationName, PlatformName } from './ids.ts';

/** What a person does to applications that are deployed, beside deploying them. Each platform by itself. */
export interface Operations {
  scale(wish: ScaleWish): Promise<Outcomes>;
  power(wish: PowerWish): Promise<Outcomes>;
}

interface OperationWish {
  readonly application: ApplicationName;
  /** Undefined: all it is deployed to. */
  readonly platforms: readonly PlatformName[] | undefined;
  readonly who: string;
  readonly reason: string;
  /** Also where a rule of ours forbids it. */
  readonly force: boolean;
}

export interface ScaleWish extends OperationWish {
  /** Undefined: as configured again. */
  readonly instances: number | undefined;
  /** Undefined: until the configured number changes, or somebody scales again. */
  readonly forMs: number | undefined;
}

export interface PowerWish extends OperationWish {
  readonly act: PowerAct;
  /** Only of `restart`; undefined: web and those beside it. */
  readonly process: string | undefined;
  /** Not one platform after the other. */
  readonly atOnce: boolean;
}

export type PowerAct = 'stop' | 'start' | 'restart';

export type Outcomes = Readonly<Record<PlatformName, Outcome>>;

/** What became of it on one platform; with an error it is not done. */
export interface Outcome {
  readonly from?: number;
  readonly to?: number;
  readonly tookMs?: number;
  readonly error?: WireError;
}
