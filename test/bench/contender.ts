import type { Child } from './child.ts';

export type ProxyName = 'sluice' | 'http-proxy' | 'nginx';

/** Something that can stand between the load and the origin. */
export interface Contender {
  readonly name: ProxyName;
  /** Tells its version, or why it cannot take part on this machine. */
  describe(): { readonly version: string } | { readonly missing: string };
  start(place: ProxyPlace): Promise<RunningProxy>;
}

export interface ProxyPlace {
  /** `http://127.0.0.1:PORT`, no path. */
  readonly originUrl: string;
  /** An empty folder of its own. */
  readonly folder: string;
  /** The core it is pinned to; undefined: not pinned. */
  readonly core: number | undefined;
}

export interface RunningProxy {
  /** `http://127.0.0.1:PORT`, no path. */
  readonly url: string;
  /** The process that moves the bytes: its CPU time is what the bench compares. */
  readonly dataPathPid: number;
  readonly child: Child;
}
