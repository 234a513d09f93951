import { SluiceError } from '../core/errors.ts';
import type { Clock, Random } from '../core/ports.ts';
import type {
  InstanceSpec,
  LogMark,
  LogsAfter,
  Runner,
  RunnerLogLine,
  RunningInstance,
} from '../core/runner.ts';
import { emitter } from '../lib/emitter.ts';
import { findFreePort, isPortFree } from './free-port.ts';
import { createGuard, type Guard } from './guard.ts';
import { createInstance, type Instance, type InstanceDeps } from './instance.ts';
import { launch } from './launch.ts';
import type { LogRing } from './log-ring.ts';
import { usageSampler } from './usage.ts';

interface RunnerDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Holds the promise that no instance outlives this process; one of its own by default. */
  readonly guard?: Guard;
}

/**
 * Instances that live and die with this process: a guard kills them when we are gone, even by SIGKILL.
 *
 * @example
 * const runner = createRunner({ clock: systemClock, random: systemRandom });
 * const web = await runner.start({ id: 'web/0', command: 'node server.js', cwd, env: {},
 *   startDetection: { kind: 'http', path: '/healthz' }, startTimeoutMs: 10_000, stopGraceMs: 5_000 });
 */
export function createRunner(deps: RunnerDeps): Runner {
  const { clock } = deps;
  const guard = deps.guard ?? createGuard();
  const pool = createPool(deps, async (spec, port, onOutput) => {
    const process = await launch({
      spec,
      port,
      clock,
      onOutput,
      recorded: async (identity) => guard.watch(identity),
    });
    void process.exited.then(() => guard.unwatch(process.identity));
    return process;
  });
  return {
    ...pool.runner,
    async close() {
      await pool.runner.close();
      await guard.close();
    },
  };
}

export interface Pool {
  readonly runner: Runner;
  readonly instances: ReadonlyMap<string, Instance>;
  /** Puts an instance under supervision that was made with `deps`. */
  add(make: (deps: InstanceDeps) => Instance): Promise<RunningInstance>;
  /** No more starts, no more looks; the instances are the caller's business. */
  close(): void;
}

/** All but how a process is launched: ids, ports, events, logs, usage. */
export function createPool(
  deps: { readonly clock: Clock; readonly random: Random },
  launchOne: InstanceDeps['launch'],
): Pool {
  const { clock, random } = deps;
  const instances = new Map<string, Instance>();
  const change = emitter<RunningInstance>();
  const log = emitter<RunnerLogLine>();
  const usage = usageSampler(() => [...instances.values()].flatMap((one) => one.process()?.pid ?? []), clock);
  const promised = new Map<string, number>();
  let choosing: Promise<unknown> = Promise.resolve();
  /** No two runners ever began at the same moment over the same instances. */
  const memory = clock.now();
  let closed = false;

  const instanceDeps: InstanceDeps = {
    clock,
    random,
    launch: launchOne,
    port: choosePort,
    changed: (instance) => change.fire(instance),
    printed: (line) => log.fire(line),
  };

  /** A port we chose moves when somebody else took it meanwhile; a given one cannot. */
  async function portFor(spec: InstanceSpec, before: number): Promise<number> {
    if (before !== 0 && (await isPortFree(before))) return before;
    if (spec.port !== undefined) throw new Error(`port ${spec.port} is in use by another program`);
    const taken = new Set([...instances.values()].map((one) => one.view().port));
    for (const port of promised.values()) taken.add(port);
    const found = await findFreePort(taken, random);
    promised.set(spec.id, found);
    return found;
  }

  /** One at a time: two that look at the same moment must not find the same port. */
  function choosePort(spec: InstanceSpec, before: number): Promise<number> {
    const chosen = choosing.then(() => portFor(spec, before));
    choosing = chosen.catch(() => undefined);
    return chosen;
  }

  function viewOf(instance: Instance): RunningInstance {
    const view = instance.view();
    return { ...view, usage: view.pid === undefined ? undefined : usage.of(view.pid) };
  }

  async function add(make: (deps: InstanceDeps) => Instance): Promise<RunningInstance> {
    if (closed) throw new SluiceError('BUG', 'the runner is closed');
    const instance = make(instanceDeps);
    const id = instance.spec.id;
    const before = instances.get(id);
    if (before !== undefined && before.view().state !== 'stopped') {
      throw new SluiceError('BUG', `instance ${id} runs already`, { remedy: 'stop it first' });
    }
    instances.set(id, instance);
    await instance.start();
    return viewOf(instance);
  }

  function close(): void {
    closed = true;
    usage.close();
  }

  const runner: Runner = {
    start: (spec) => add((given) => createInstance(spec, spec.port ?? 0, given)),
    get(id) {
      const instance = instances.get(id);
      return instance === undefined ? undefined : viewOf(instance);
    },
    list: () => [...instances.values()].map(viewOf),
    async stop(id) {
      await instances.get(id)?.stop();
    },
    logs: (id, lines) => instances.get(id)?.logs.last(lines) ?? [],
    logsAfter: (id, mark) => logsAfter(instances.get(id)?.logs, memory, mark),
    forget(id) {
      if (instances.get(id)?.view().state !== 'stopped') return;
      instances.delete(id);
      promised.delete(id);
    },
    onChange: change.event,
    onLog: log.event,
    async close() {
      close();
      await Promise.all([...instances.values()].map((one) => one.stop()));
    },
  };
  return { runner, instances, add, close };
}

function logsAfter(
  ring: LogRing<RunnerLogLine> | undefined,
  memory: number,
  mark: LogMark | undefined,
): LogsAfter {
  const total = ring?.total ?? 0;
  // An instance that was forgotten and made anew counts from the start again.
  const isOurs = mark?.memory === memory && mark.lines <= total;
  const wanted = isOurs ? total - mark.lines : total;
  const lines = ring?.last(wanted) ?? [];
  return { lines, mark: { memory, lines: total }, missed: isOurs && lines.length < wanted };
}
