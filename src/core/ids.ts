/** The names and ids that run through everything. Plain strings on the wire; the aliases say which kind is meant. */
export type PlatformName = string;
export type ApplicationName = string;
/** `r-` + 10 hexadecimal digits: digest of source and of the configuration that changes behaviour. */
export type ReleaseId = string;
/** `d-` + 12 characters; one act of deploying a release to a set of platforms. */
export type DeploymentId = string;
/**
 * `<platform>/<host>:<port>`: one address requests are sent to. A trial's ends in `~<release>`: behind a platform's
 * router it has the address of the release that serves, and must not be taken for it.
 */
export type OriginId = string;

const RELEASE_ID = /^r-[0-9a-f]{10}$/;

export function isReleaseId(text: string): text is ReleaseId {
  return RELEASE_ID.test(text);
}

/** The same address on two platforms is two origins: they fail for different reasons. */
export function originId(platform: PlatformName, url: string, trial?: ReleaseId): OriginId {
  const at = url.indexOf('://');
  const authority = at < 0 ? url : url.slice(at + 3);
  const end = authority.indexOf('/');
  const place = `${platform}/${end < 0 ? authority : authority.slice(0, end)}`;
  return trial === undefined ? place : `${place}~${trial}`;
}
