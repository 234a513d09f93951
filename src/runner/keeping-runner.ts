import type { Clock, Random } from '../core/ports.ts';
import type { InstanceSpec, Runner, RunningInstance } from '../core/runner.ts';
import { adopt } from './adopt.ts';
import { createInstance } from './instance.ts';
import { launch } from './launch.ts';
import type { ProcessIdentity } from './proc.ts';
import { createPool } from './runner.ts';
import { createSpool } from './spool.ts';

/** A runner whose instances outlive it: they write to files, and the next owner adopts them. */
export interface KeepingRunner extends Runner {
  /** Goes on with a process that is alive (`isAlive(left.identity)`); restarts it when it ends, as if started here. */
  adopt(spec: InstanceSpec, left: LeftBehind): Promise<RunningInstance>;
  /** Stops supervising and leaves everything running. */
  leave(): Promise<void>;
}

/** What the next owner must know of an instance. */
interface LeftBehind {
  readonly identity: ProcessIdentity;
  readonly port: number;
  readonly ready: boolean;
  readonly restarts: number;
}

interface KeepingRunnerDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** For the output of the processes; private to this runner. */
  readonly spoolDir: string;
  /** Puts a new process on record; the application starts only when this resolves. */
  readonly record: (id: string, port: number, identity: ProcessIdentity) => Promise<void>;
}

export function createKeepingRunner(deps: KeepingRunnerDeps): KeepingRunner {
  const { clock } = deps;
  const spool = createSpool(deps.spoolDir, clock);
  const pool = createPool(deps, async (spec, port, onOutput) => {
    const output = spool.open(spec.id);
    const reader = spool.follow(spec.id, onOutput, false);
    try {
      const process = await launch({
        spec,
        port,
        clock,
        onOutput,
        output,
        recorded: (identity) => deps.record(spec.id, port, identity),
      });
      return {
        ...process,
        exited: process.exited.finally(() => reader.close()),
        leave() {
          process.leave();
          reader.close();
        },
      };
    } catch (error) {
      reader.close();
      throw error;
    } finally {
      output.release();
    }
  });

  return {
    ...pool.runner,
    start(spec) {
      const before = pool.runner.get(spec.id);
      if (before === undefined || before.state === 'stopped') spool.remove(spec.id);
      return pool.runner.start(spec);
    },
    adopt(spec, left) {
      return pool.add((given) =>
        createInstance(spec, left.port, given, {
          ready: left.ready,
          restarts: left.restarts,
          process: (onOutput) => adopt(left.identity, spool.follow(spec.id, onOutput, true), clock),
        }),
      );
    },
    forget(id) {
      pool.runner.forget(id);
      if (pool.runner.get(id) === undefined) spool.remove(id);
    },
    async leave() {
      await Promise.all([...pool.instances.values()].map((one) => one.leave()));
      pool.close();
    },
  };
}
