import { createHash } from 'node:crypto';
import { platformError } from '../../src/core/errors.ts';
import type { ApplicationName, ReleaseId } from '../../src/core/ids.ts';
import type { TargetSpec } from '../../src/core/provider.ts';
import type { Meta } from './wire.ts';

/** Who writes, as server-side apply records it. */
export const FIELD_MANAGER = 'sluice';

export const MANAGED_BY = 'app.kubernetes.io/managed-by';
export const APPLICATION = 'sluice.dev/application';
export const RELEASE = 'sluice.dev/release';
export const PROCESS = 'sluice.dev/process';
/** On all that belongs to a trial, with the application beside which it runs. */
export const TRIAL_OF = 'sluice.dev/trial-of';
/** On what belongs to a process beside web, and on nothing else. */
export const GROUP = 'sluice.dev/group';
/** On a task, with its run. */
export const RUN = 'sluice.dev/run';
/** The platform's own, on the pods of a Job. */
export const JOB_NAME = 'batch.kubernetes.io/job-name';
/** On what was made for a service, and nothing else: it stays when the application goes. */
export const SERVICE_OF = 'sluice.dev/service-of';
export const SERVICE_NAME = 'sluice.dev/service';
/** On the Secret that keeps what a template came to. */
export const TEMPLATE = 'sluice.dev/template';
/** Annotations: what a label cannot hold or nobody selects by. */
export const NUMBER = 'sluice.dev/number';
export const FAILED_RELEASE = 'sluice.dev/failed-release';
export const FAILED_REASON = 'sluice.dev/failed-reason';
/** How many instances there were when it was stopped. */
export const STOPPED_AT = 'sluice.dev/stopped-at';
/** As `kubectl rollout restart` names it. */
export const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
export const RETRY = 'sluice.dev/retry';

/** Services want RFC 1035 labels, and `-r-0123456789-<hash>` plus `-1-build` must fit behind it. */
const NAME = /^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/;

export function checkName(platform: string, application: ApplicationName): void {
  if (NAME.test(application)) return;
  throw platformError(
    'invalid',
    platform,
    `"${application}" cannot be the name of an application on OpenShift`,
    {
      why: 'names there begin with a letter and have at most 32 lower case letters, digits and hyphens',
      remedy: 'rename the application',
    },
  );
}

/** One BuildConfig a release, so that whoever comes after a crash knows whose build it finds. */
export function buildConfigName(application: ApplicationName, release: ReleaseId): string {
  return `${application}-${release}`;
}

/** To the platform it is an application of its own. */
export function trialName(application: ApplicationName, release: ReleaseId): string {
  return `${application}--${release}`;
}

export function trialLabels(application: ApplicationName): Record<string, string> {
  return { [MANAGED_BY]: FIELD_MANAGER, [TRIAL_OF]: application };
}

/** Named by content: a template then always means the environment it was rolled out with. */
export function secretName(
  application: ApplicationName,
  release: ReleaseId,
  env: Readonly<Record<string, string>>,
): string {
  const sorted = Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${application}-${release}-${shortHash(JSON.stringify(sorted))}`;
}

/** Who may pull the application's image; the same for all its releases, for old credentials open nothing. */
export function pullSecretName(application: ApplicationName): string {
  return `${application}-registry`;
}

export function hostRouteName(application: ApplicationName, host: string): string {
  return `${application}-host-${shortHash(host)}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

export function ownerLabels(application: ApplicationName): Record<string, string> {
  return { [MANAGED_BY]: FIELD_MANAGER, [APPLICATION]: application };
}

/** Without a service: of all of them. */
export function serviceLabels(application: ApplicationName, service?: string): Record<string, string> {
  const labels = { [MANAGED_BY]: FIELD_MANAGER, [SERVICE_OF]: application };
  return service === undefined ? labels : { ...labels, [SERVICE_NAME]: service };
}

export function isServiceOf({ labels }: Pick<Meta, 'labels'>, application: ApplicationName): boolean {
  return labels[MANAGED_BY] === FIELD_MANAGER && labels[SERVICE_OF] === application;
}

export function releaseLabels(want: TargetSpec): Record<string, string> {
  return { ...ownerLabels(want.application), [RELEASE]: want.release.id };
}

/** Instances and nothing else: build pods must never match. */
export function instanceLabels(application: ApplicationName): Record<string, string> {
  return { [APPLICATION]: application, [PROCESS]: 'web' };
}

export function processName(application: ApplicationName, process: string): string {
  return `${application}-${process}`;
}

/** By its run, in few letters: what is below a Job is named after it. */
export function jobName(
  application: ApplicationName,
  { name, run }: { readonly name: string; readonly run: string },
): string {
  return `${application}-${name.slice(0, 16).replace(/-+$/, '')}-${shortHash(`${name} ${run}`)}`;
}

export function groupLabels(application: ApplicationName, process: string): Record<string, string> {
  return { [APPLICATION]: application, [GROUP]: process };
}

export function selector(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

export function isOurs(meta: Meta, application: ApplicationName): boolean {
  return meta.labels[MANAGED_BY] === FIELD_MANAGER && meta.labels[APPLICATION] === application;
}
