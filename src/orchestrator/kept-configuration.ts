import type { PlatformName } from '../core/ids.ts';
import type { ApplicationSettings, OtherProcess } from '../core/settings.ts';
import type { JobSettings, TaskSettings } from '../core/task-settings.ts';
import { type OwnProcess, ownProcess } from './own-process.ts';
import { valueDigest } from './release-identity.ts';

/**
 * The configuration of a release as it is kept with it, so that a rollback brings back code and configuration. Of
 * secrets only an HMAC is kept: their values are taken from the present configuration, which also is what a person
 * wants, for an old password is mostly one that no longer opens anything.
 */
export interface KeptConfiguration {
  /** The image that ran; left out: it was files. */
  readonly image?: string;
  readonly command: string;
  readonly memoryBytes: number;
  /** Null: the port accepts a connection. */
  readonly healthPath: string | null;
  readonly startTimeoutMs: number;
  /** Beside web; left out: there were none. */
  readonly processes?: readonly OtherProcess[];
  /** Processes that run by the clock; left out: there were none. */
  readonly jobs?: readonly Pick<JobSettings, 'name' | 'command' | 'memoryBytes'>[];
  /** Those of the release, which a rollback does not run; left out: there were none. */
  readonly tasks?: readonly TaskSettings[];
  /** HMAC of all services: they may hold credentials, and are not the release's to bring back. */
  readonly services?: string;
  readonly env: KeptEnv;
  readonly targets: Readonly<Record<PlatformName, KeptTarget>>;
}

/** Environment, command and memory of its own. */
type KeptTarget = KeptEnv & OwnProcess;

interface KeptEnv {
  readonly open: Readonly<Record<string, string>>;
  /** HMAC of each value under the key of this installation. */
  readonly secret: Readonly<Record<string, string>>;
}

export function keepConfiguration(application: ApplicationSettings, key: string): KeptConfiguration {
  const secret = new Set(application.secretEnv);
  function keep(env: Readonly<Record<string, string>>): KeptEnv {
    const all = Object.entries(env);
    return {
      open: Object.fromEntries(all.filter(([name]) => !secret.has(name))),
      secret: Object.fromEntries(
        all.filter(([name]) => secret.has(name)).map(([name, value]) => [name, valueDigest(value, key)]),
      ),
    };
  }
  return {
    ...(application.image === undefined ? {} : { image: application.image.reference }),
    command: application.process.command,
    memoryBytes: application.process.memoryBytes,
    healthPath: application.health.path ?? null,
    startTimeoutMs: application.startTimeoutMs,
    ...(application.processes === undefined ? {} : { processes: application.processes }),
    ...(application.jobs === undefined
      ? {}
      : { jobs: application.jobs.map(({ name, command, memoryBytes }) => ({ name, command, memoryBytes })) }),
    ...(application.tasks === undefined ? {} : { tasks: application.tasks }),
    ...(application.services === undefined ? {} : { services: servicesDigest(application, key) }),
    env: keep(application.env),
    targets: Object.fromEntries(
      application.targets.map((target) => [target.platform, { ...keep(target.env), ...ownProcess(target) }]),
    ),
  };
}

export interface RestoredConfiguration {
  readonly application: ApplicationSettings;
  /** Secrets whose present value is another one than the release had. */
  readonly changed: readonly string[];
  /** Secrets that the present configuration no longer has. */
  readonly missing: readonly string[];
  /** The services are others than the release had. */
  readonly otherServices: boolean;
}

/** The present application with what the release had in place of what is configured now. */
export function restoreConfiguration(
  present: ApplicationSettings,
  kept: KeptConfiguration,
  key: string,
): RestoredConfiguration {
  const changed = new Set<string>();
  const missing = new Set<string>();
  function restore(
    { open, secret }: KeptEnv,
    ...now: readonly Readonly<Record<string, string>>[]
  ): Record<string, string> {
    const env: Record<string, string> = { ...open };
    for (const [name, digest] of Object.entries(secret)) {
      const value = now.find((one) => Object.hasOwn(one, name))?.[name];
      if (value === undefined) missing.add(name);
      else {
        env[name] = value;
        if (valueDigest(value, key) !== digest) changed.add(name);
      }
    }
    return env;
  }
  const {
    processes: now = [],
    jobs: presentJobs = [],
    tasks: _tasks,
    image: presentImage,
    ...others
  } = present;
  // When is said by the present, what by the release: one that it did not have does not run with it.
  const jobs = presentJobs.flatMap((job) => {
    const then = kept.jobs?.find(({ name }) => name === job.name);
    return then === undefined ? [] : [{ ...job, ...then }];
  });
  // Where and how many is said by the present, as it is of web.
  const processes = kept.processes?.map((then) => {
    const { runOn, takeOverMs, instances } = now.find(({ name }) => name === then.name) ?? then;
    return { ...then, runOn, takeOverMs, instances };
  });
  const application: ApplicationSettings = {
    ...others,
    // Who may pull it is said by the present, as all credentials are.
    ...(kept.image === undefined ? {} : { image: { ...presentImage, reference: kept.image } }),
    ...(processes === undefined ? {} : { processes }),
    ...(jobs.length === 0 ? {} : { jobs }),
    ...(kept.tasks === undefined ? {} : { tasks: kept.tasks }),
    process: { ...present.process, command: kept.command, memoryBytes: kept.memoryBytes },
    health: { ...present.health, path: kept.healthPath ?? undefined },
    startTimeoutMs: kept.startTimeoutMs,
    env: restore(kept.env, present.env),
    targets: present.targets.map((target) => {
      const own = kept.targets[target.platform];
      // A platform that came later runs the release with what is configured for it.
      if (own === undefined) return target;
      const { command: _command, memoryBytes: _memory, ...rest } = target;
      return { ...rest, ...ownProcess(own), env: restore(own, target.env, present.env) };
    }),
  };
  const services = present.services === undefined ? undefined : servicesDigest(present, key);
  const otherServices = services !== kept.services;
  return { application, changed: [...changed].sort(), missing: [...missing].sort(), otherServices };
}

function servicesDigest({ services }: ApplicationSettings, key: string): string {
  return valueDigest(JSON.stringify(services), key);
}
