import type { ApplicationName, ReleaseId } from './ids.ts';

/** One immutable version of an application: source plus the configuration that changes behaviour. */
export interface Release {
  readonly id: ReleaseId;
  /** The number a person can say: 42 is shown as `r42`. */
  readonly number: number;
  readonly application: ApplicationName;
  /** `sha256:…` over the sorted (path, mode, content digest) list of the bundle; of an image its own digest. */
  readonly sourceDigest: string;
  /** `sha256:…` over everything that changes behaviour: command, env, health, memory; instance counts excluded. */
  readonly configHash: string;
  /** The image that runs; left out: it is files. */
  readonly image?: string;
  /** One executable file is all there is: it runs by its name. */
  readonly program?: string;
  /** The commit it was first deployed from. */
  readonly commit?: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /**
   * What its migration does to the data. `contract`: releases before it no longer work with it, so going back past it
   * is refused. Left out: it has none.
   */
  readonly migration?: 'expand' | 'contract';
}

export interface BundleFile {
  /** Relative, with forward slashes. */
  readonly path: string;
  /** Only the executable bit survives: 0o644 or 0o755. */
  readonly mode: number;
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** The label people see: `r42`. */
export function releaseLabel(release: { readonly number: number }): string {
  return `r${release.number}`;
}
