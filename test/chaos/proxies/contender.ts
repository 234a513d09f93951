import type { Child } from '../../bench/child.ts';
import type { ProxyName } from '../drill-options.ts';

/** Something that sends to the primary as long as it can, and else to the secondary. */
export interface Contender {
  readonly name: ProxyName;
  /** Tells its version, or why it cannot take part on this machine. */
  describe(): { readonly version: string } | { readonly missing: string };
  start(place: DrillPlace): Promise<RunningProxy>;
}

export interface DrillPlace {
  /** Ports on 127.0.0.1. */
  readonly primary: number;
  readonly secondary: number;
  /** A free one that the proxy may listen on. */
  readonly port: number;
  /** An empty folder of its own. */
  readonly folder: string;
  readonly quick: boolean;
}

export interface RunningProxy {
  readonly port: number;
  readonly child: Child;
  /** What it says of its own decisions, where it does. */
  journal?(): Promise<readonly JournalLine[]>;
}

export interface JournalLine {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly text: string;
}
