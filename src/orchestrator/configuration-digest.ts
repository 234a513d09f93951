import { createHash } from 'node:crypto';
import type { ApplicationSettings } from '../core/settings.ts';
import { ownProcess } from './own-process.ts';

/**
 * What a deployment will do with an application, without any secret value: so that a command and a server can tell
 * whether they read the same configuration.
 */
export function configurationDigest(application: ApplicationSettings): string {
  const secret = new Set(application.secretEnv);
  const open = (env: Readonly<Record<string, string>>): [string, string | null][] =>
    Object.keys(env)
      .sort()
      .map((name) => [name, secret.has(name) ? null : env[name]!]);
  const { process, processes, health, routes, startTimeoutMs } = application;
  const image = application.image?.reference;
  const targets = application.targets.map((target) => {
    const own = ownProcess(target);
    const more = Object.keys(own).length === 0 ? [] : [own];
    const from = target.buildOn === undefined ? [] : [{ buildOn: target.buildOn }];
    return [target.platform, target.instances, open(target.env), ...more, ...from];
  });
  // What a broker is told may be secret; the release id has it.
  const services = application.services?.map(({ name, on }) => [
    name,
    Object.entries(on).map(([platform, source]) => [
      platform,
      { ...source, parameters: null, ...('bind' in source ? { bind: null } : {}) },
    ]),
  ]);
  const tasks = application.tasks?.filter(({ when }) => when === 'release');
  const told = {
    image,
    process,
    processes,
    tasks,
    services,
    health,
    routes,
    startTimeoutMs,
    env: open(application.env),
    targets,
  };
  return `sha256:${createHash('sha256').update(JSON.stringify(told)).digest('hex')}`;
}
