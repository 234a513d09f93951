import { createHash, createHmac } from 'node:crypto';
import type { ReleaseId } from '../core/ids.ts';
import type { ApplicationSettings, TargetSettings } from '../core/settings.ts';
import { ownProcess } from './own-process.ts';

/**
 * Hash over the configuration that changes behaviour: command, memory, health path, environment (also the
 * targets' own). Instance counts, weights and tiers are left out: scaling is no new release. Values of the
 * environment go in as HMACs under a key of this installation, so that a hash never helps to guess a secret.
 */
export function configHashOf(application: ApplicationSettings, key: string): string {
  const env = (values: Readonly<Record<string, string>>): [string, string][] =>
    Object.keys(values)
      .sort()
      .map((name) => [name, valueDigest(values[name]!, key)]);
  const behaviour = {
    command: application.process.command,
    memoryBytes: application.process.memoryBytes,
    healthPath: application.health.path ?? null,
    ...(application.image === undefined ? {} : { image: application.image.reference }),
    ...(application.processes === undefined
      ? {}
      : {
          processes: application.processes
            .map(({ name, command, memoryBytes }) => [name, command, memoryBytes] as const)
            .sort((a, b) => (a[0] < b[0] ? -1 : 1)),
        }),
    ...tasksOf(application),
    ...jobsOf(application),
    ...(application.services === undefined
      ? {}
      : { services: valueDigest(JSON.stringify(application.services), key) }),
    env: env(application.env),
    targets: application.targets
      .filter((target) => Object.keys(target.env).length > 0 || Object.keys(ownProcess(target)).length > 0)
      .map((target) => [target.platform, env(target.env), ...ownProcesses(target)] as const)
      .sort((a, b) => (a[0] < b[0] ? -1 : 1)),
  };
  return `sha256:${createHash('sha256').update(JSON.stringify(behaviour)).digest('hex')}`;
}

/** When and where they run is no part of it, as of processes that run all the time. */
function jobsOf({ jobs = [] }: ApplicationSettings): object {
  if (jobs.length === 0) return {};
  return { jobs: jobs.map(({ name, command, memoryBytes }) => [name, command, memoryBytes]).sort() };
}

/** Those that run with the release: another migration is another release. */
function tasksOf({ tasks = [] }: ApplicationSettings): object {
  const own = tasks.filter(({ when }) => when === 'release');
  if (own.length === 0) return {};
  return { tasks: own.map(({ name, command, class: kind = null }) => [name, command, kind]) };
}

/** What a target says of web itself; none where it says nothing, so that such a release keeps its id. */
function ownProcesses(target: TargetSettings): readonly object[] {
  const own = ownProcess(target);
  return Object.keys(own).length === 0 ? [] : [own];
}

/** Tells whether two values are the same, and nothing else about them. */
export function valueDigest(value: string, key: string): string {
  return createHmac('sha256', key).update(value).digest('hex');
}

export function releaseIdOf(application: string, sourceDigest: string, configHash: string): ReleaseId {
  const digest = createHash('sha256').update(`${application}\n${sourceDigest}\n${configHash}`).digest('hex');
  return `r-${digest.slice(0, 10)}`;
}
