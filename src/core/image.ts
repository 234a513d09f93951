/** A container image that was built elsewhere, and runs as it is. */
export interface ImageSpec {
  /** `registry/shop@sha256:…`, without a tag: a tag may mean other bytes tomorrow. */
  readonly reference: string;
  /** Who may pull it; left out: everybody. */
  readonly registry?: RegistryAccess;
}

export interface RegistryAccess {
  readonly username: string;
  readonly password: string;
}

/** Docker Hub's own name for itself in credentials of clients. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const NAME = new RegExp(
  `^(?:((?:[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)*|\\[[0-9a-fA-F:]+\\])(?::\\d+)?)/)?(${PART}(?:/${PART})*)$`,
);
const TAG = /:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export interface ParsedImage {
  /** As it was written, without its tag. */
  readonly name: string;
  /** Undefined: Docker Hub, as every client reads a name without a host. */
  readonly host: string | undefined;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Undefined: no name of an image. */
export function parseImage(reference: string): ParsedImage | undefined {
  const at = reference.indexOf('@');
  const digest = at < 0 ? undefined : reference.slice(at + 1);
  if (digest !== undefined && !DIGEST.test(digest)) return undefined;
  const named = at < 0 ? reference : reference.slice(0, at);
  const tag = TAG.exec(named)?.[0];
  // A colon before the last slash is a port's.
  const name = tag === undefined ? named : named.slice(0, -tag.length);
  const [, first, rest = ''] = NAME.exec(name) ?? [];
  if (rest === '') return undefined;
  return { name, host: first !== undefined && isHost(first) ? first : undefined, tag: tag?.slice(1), digest };
}

/** A first part with a dot, a port or `localhost` is a registry's host; any other belongs to the name. */
function isHost(first: string): boolean {
  return /[.:]/.test(first) || first === 'localhost';
}

/** The digest of what a reference by digest names. */
export function imageDigest({ reference }: ImageSpec): string {
  return reference.slice(reference.indexOf('@') + 1);
}

/** The key of its registry in a client's configuration (`auths` of docker's config.json). */
export function registryKey({ reference }: ImageSpec): string {
  const host = parseImage(reference)?.host;
  return host === undefined || host === 'docker.io' ? DOCKER_HUB : host;
}
