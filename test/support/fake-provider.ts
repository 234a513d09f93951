import type { SluiceError } from '../../src/core/errors.ts';
import { platformError, toWire } from '../../src/core/errors.ts';
import type {
  Observation,
  Operation,
  OperationHandle,
  OperationStatus,
  PlatformProvider,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { HandedOut, MadeService } from '../../src/core/service-power.ts';

/** What a fake platform remembers between provider instances, as a real one would. */
export interface FakePlatform {
  readonly name: string;
  calls: string[];
  /** What it was to run in place, newest last. */
  readonly applied: TargetSpec[];
  serving: string | undefined;
  releases: string[];
  /** The release beside the one that serves, and its instances. */
  trial: { readonly release: string; readonly instances: number } | undefined;
  /** It can run two releases side by side. */
  canTry: boolean;
  /** What its services hand out; undefined: it has none. */
  handedOut: HandedOut | undefined;
  /** For its services; there until removed. */
  made: readonly MadeService[];
  /** Thrown or reported once by the step of this name. */
  failing: Partial<
    Record<
      | 'stage'
      | 'apply'
      | 'processes'
      | 'services'
      | 'handedOut'
      | 'retire'
      | 'observe'
      | 'destroy'
      | 'scale'
      | 'trial'
      | 'endTrial'
      | 'task'
      | 'stop'
      | 'start'
      | 'restart',
      SluiceError
    >
  >;
  /** How many it had when it was stopped. */
  stoppedAt?: number;
  /** Thrown when a task is to be begun. */
  refusing: { task?: SluiceError };
  /** Which release each run of a task was begun with; one that is asked for again is found. */
  readonly ran: Map<string, string>;
  /** What was begun, one after the other. */
  readonly commands: string[];
  canRun: boolean;
  /** It does not know of any task that was begun. */
  losing: boolean;
  /** Those that run come up to the desired ones only when the test lets them. */
  desired: number;
  running: number;
  quotaHeadroom: number | undefined;
  /** How often a poll says `running` before it is done. */
  pollsUntilDone: number;
  /** A poll waits for this: nothing goes on until the test lets it. */
  hold: Promise<void> | undefined;
  /** Called at each poll: a test steps in there. */
  onPoll: (handle: OperationHandle) => void;
}

export function fakePlatform(name: string): FakePlatform {
  return {
    name,
    calls: [],
    applied: [],
    serving: undefined,
    releases: [],
    trial: undefined,
    canTry: false,
    handedOut: undefined,
    made: [],
    failing: {},
    ran: new Map(),
    commands: [],
    canRun: true,
    losing: false,
    refusing: {},
    desired: 1,
    running: 0,
    quotaHeadroom: undefined,
    pollsUntilDone: 1,
    hold: undefined,
    onPoll() {},
  };
}

export function fakeProvider(platform: FakePlatform): PlatformProvider {
  const polls = new Map<string, number>();

  function handleOf(kind: OperationHandle['kind']): OperationHandle {
    return { platform: platform.name, application: 'shop', kind, native: {}, startedAt: 0 };
  }

  function begin(kind: OperationHandle['kind'], native: Record<string, string>): Operation {
    platform.calls.push(`${kind} ${native['release'] ?? native['mode'] ?? ''}`.trim());
    return { handle: { ...handleOf(kind), native: { ...native, n: `${platform.calls.length}` } } };
  }

  function finish(handle: OperationHandle): OperationStatus {
    const release = handle.native['release'] ?? '';
    const failure = platform.failing[handle.kind];
    if (failure) return { state: 'failed', error: toWire(failure) };
    if (handle.kind === 'stage') {
      platform.releases.push(release);
      return { state: 'succeeded', artifact: { digest: `fake:${release}`, native: { release } } };
    }
    if (handle.kind === 'apply') {
      platform.serving = release;
      platform.running = Number(handle.native['instances']);
    }
    if (handle.kind === 'trial') platform.trial = { release, instances: Number(handle.native['instances']) };
    if (handle.kind === 'endTrial') platform.trial = undefined;
    if (handle.kind === 'retire') platform.releases = platform.releases.filter((one) => one !== release);
    if (handle.native['mode'] === 'remove') platform.made = [];
    if (handle.kind === 'destroy') {
      platform.releases = [];
      platform.serving = undefined;
    }
    return { state: 'succeeded' };
  }

  return {
    kind: 'fake',
    platform: platform.name,
    ...(platform.handedOut === undefined
      ? {}
      : {
          services: {
            async ensure() {
              return begin('services', {});
            },
            async handedOut() {
              if (platform.failing.handedOut) throw platform.failing.handedOut;
              return platform.handedOut;
            },
            async unbind() {
              return begin('services', { mode: 'unbind' });
            },
            async made() {
              return platform.made;
            },
            async remove() {
              return begin('services', { mode: 'remove' });
            },
          },
        }),
    async describe() {
      return {
        kind: 'fake',
        apiVersion: '1',
        identity: 'me',
        capabilities: { sideBySide: true, hostHeader: 'any' },
      };
    },
    async observe() {
      if (platform.failing.observe) throw platform.failing.observe;
      return observationOf(platform);
    },
    async plan(_context, want, seen) {
      return [
        {
          action: seen.serving === want.release.id ? 'none' : seen.exists ? 'change' : 'create',
          field: 'release',
          ...(seen.serving === undefined ? {} : { from: seen.serving }),
          to: want.release.id,
          destructive: false,
        },
      ];
    },
    stage: async (_context, want: TargetSpec) => begin('stage', { release: want.release.id }),
    async apply(_context, want) {
      platform.applied.push(want);
      return begin('apply', { release: want.release.id, instances: `${want.process.instances}` });
    },
    async scale(_context, _application, instances) {
      platform.calls.push(`scale ${instances}`);
      if (platform.failing.scale) throw platform.failing.scale;
      platform.desired = instances;
      platform.running = Math.min(platform.running, instances);
      return { handle: { ...handleOf('scale'), native: { instances: `${instances}` } } };
    },
    ...(platform.canTry
      ? {
          trial: {
            async start(_context, want) {
              const { instances } = want.process;
              const operation = begin('trial', { release: want.release.id, instances: `${instances}` });
              platform.calls.push(`size ${instances}`);
              return operation;
            },
            end: async (_context, _application, release) => begin('endTrial', { release }),
          },
        }
      : {}),
    power: {
      async stop() {
        platform.calls.push('stop');
        if (platform.failing.stop) throw platform.failing.stop;
        platform.stoppedAt = platform.desired;
        platform.desired = 0;
        platform.running = 0;
        return { handle: handleOf('stop'), done: { state: 'succeeded' } };
      },
      async start() {
        platform.calls.push('start');
        if (platform.failing.start) throw platform.failing.start;
        platform.desired = platform.stoppedAt ?? platform.desired;
        platform.running = platform.desired;
        return { handle: handleOf('start'), done: { state: 'succeeded' } };
      },
      async restart(_context, _application, process) {
        platform.calls.push(`restart ${process}`);
        if (platform.failing.restart) throw platform.failing.restart;
        return { handle: handleOf('restart'), done: { state: 'succeeded' } };
      },
    },
    ...(platform.canRun
      ? {
          tasks: {
            async start(_context, want, artifact, task) {
              if (artifact.native['release'] !== want.release.id) throw new Error('it is not staged');
              if (platform.refusing.task) throw platform.refusing.task;
              const native = { run: task.run, release: want.release.id, n: task.run };
              if (!platform.ran.has(task.run)) {
                platform.ran.set(task.run, want.release.id);
                platform.commands.push(task.command);
                platform.calls.push(`task ${task.run}`);
              }
              return { handle: { ...handleOf('task'), native } };
            },
            async cancel(_context, handle) {
              platform.calls.push(`cancel ${handle.native['run']}`);
            },
            async forget(_context, handle) {
              platform.calls.push(`forget ${handle.native['run']}`);
            },
          },
        }
      : {}),
    retire: async (_context, _application, release) => begin('retire', { release }),
    destroy: async () => begin('destroy', {}),
    async poll(_context, handle) {
      await platform.hold;
      if (handle.kind === 'task' && platform.losing) return { state: 'lost', message: 'there is none' };
      platform.onPoll(handle);
      const key = `${handle.kind} ${handle.native['release']} ${handle.native['n']}`;
      const count = (polls.get(key) ?? 0) + 1;
      polls.set(key, count);
      if (count <= platform.pollsUntilDone) return { state: 'running', message: `${handle.kind} ${count}` };
      return finish(handle);
    },
    async close() {},
  };
}

function observationOf(platform: FakePlatform): Observation {
  return {
    at: 0,
    apiLatencyMs: 1,
    exists: platform.releases.length > 0,
    releases: platform.releases.map((id) => ({ id, state: id === platform.serving ? 'running' : 'staged' })),
    serving: platform.serving,
    instances: Array.from({ length: platform.running }, (_, index) => ({
      id: `${index}`,
      release: platform.serving,
      state: 'running',
      routable: true,
    })),
    desired: platform.desired,
    ...(platform.quotaHeadroom === undefined ? {} : { quotaHeadroom: platform.quotaHeadroom }),
    origins: [
      ...(platform.serving ? [{ url: `http://${platform.name}`, hostHeader: undefined }] : []),
      ...(platform.trial === undefined
        ? []
        : [
            {
              url: `http://trial.${platform.name}`,
              hostHeader: undefined,
              release: platform.trial.release,
              trial: true as const,
            },
          ]),
    ],
    ...(platform.trial === undefined
      ? {}
      : { trial: { release: platform.trial.release, instances: [], desired: platform.trial.instances } }),
    env: {},
    foreign: [],
  };
}

export function unavailable(platform: string): SluiceError {
  return platformError('unavailable', platform, `the API of ${platform} does not answer`);
}
