import type { Child } from './child.ts';
import type { Setup } from './works.ts';

export type ProxyName = 'sluice' | 'nginx' | 'haproxy' | 'http-proxy' | 'fastify' | 'undici' | 'direct';

/** Something that can stand between the load and the origin. */
export interface Contender {
  readonly name: ProxyName;
  /** Tells its version, or why it cannot take part on this machine. */
  describe(): { readonly version: string } | { readonly missing: string };
  /** Throws `Unfit` where this version cannot do what the setup asks. */
  start(place: ProxyPlace): Promise<RunningProxy>;
}

export interface ProxyPlace {
  /** One application on two addresses, `SCHEME://127.0.0.1:PORT`, no path: every proxy shares the requests out. */
  readonly origins: readonly string[];
  readonly setup: Setup;
  readonly certificate: CertificateFiles;
  /** Client connections it must be able to hold. */
  readonly connections: number;
  /** An empty folder of its own. */
  readonly folder: string;
  /** The core it is pinned to; undefined: not pinned. */
  readonly core: number | undefined;
}

/** For 127.0.0.1, its own authority, the same for clients and origins. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** Both in one file, as HAProxy wants them. */
  readonly both: string;
}

export interface RunningProxy {
  /** `SCHEME://127.0.0.1:PORT`, no path. */
  readonly url: string;
  /** The process that moves the bytes: its CPU time is what the bench compares. Undefined: there is none. */
  readonly dataPathPid: number | undefined;
  readonly child: Child;
}

/** A contender that is here, but cannot take part in one kind of work. */
export class Unfit extends Error {
  override readonly name = 'Unfit';
}

export function schemeOf(downstream: Setup['downstream']): 'http' | 'https' {
  return downstream === 'http' ? 'http' : 'https';
}
