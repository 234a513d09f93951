import type { RunningInstance } from '../../../../src/core/runner.ts';
import type { TaskRow } from '../app-state.ts';
import type { CloudBase } from '../cloud.ts';
import type { AppRow, DropletRow } from '../state.ts';
import { shellCommand, taskEnv } from './start-command.ts';
import { withMountPaths } from './volume-folders.ts';

/** `setTimeout` knows no longer wait. */
const NEVER_MS = 2_147_483_647;

/** One-off commands in the folder of a droplet, each in a process of its own. */
export interface Tasks {
  begin(task: TaskRow, app: AppRow, droplet: DropletRow): void;
  cancel(task: TaskRow): void;
  /** Of an application that is deleted. */
  drop(appGuid: string): Promise<void>;
  close(): Promise<void>;
}

export function createTasks(cloud: CloudBase): Tasks {
  const { state, clock, runner } = cloud;
  const running = new Map<string, TaskRow>();

  function log(task: TaskRow, text: string, stream: 'OUT' | 'ERR', at: number): void {
    cloud.logs.append(at, {
      appGuid: task.appGuid,
      instance: '0',
      sourceType: `APP/TASK/${task.name}`,
      stream,
      text,
    });
  }

  function end(task: TaskRow, failure: string | null): void {
    running.delete(task.guid);
    runner.forget(task.guid);
    task.state = failure === null ? 'SUCCEEDED' : 'FAILED';
    task.failureReason = failure;
    task.updatedAt = clock.now();
  }

  function observe(instance: RunningInstance): void {
    const task = running.get(instance.id);
    if (!task || instance.state !== 'stopped') return;
    if (task.state === 'CANCELING') end(task, 'task was cancelled');
    else if (instance.exitCode === 0) end(task, null);
    else {
      const { exitCode, reason = 'ended' } = instance;
      const why = exitCode === undefined ? reason : `Exited with status ${exitCode}`;
      log(task, why, 'OUT', clock.now());
      end(task, `APP/TASK/${task.name}: ${why}`);
    }
  }

  async function run(task: TaskRow, app: AppRow, droplet: DropletRow): Promise<void> {
    const env = withMountPaths(cloud, app.guid, taskEnv(state, cloud.urls.api, app, task));
    running.set(task.guid, task);
    try {
      await runner.start({
        id: task.guid,
        command: shellCommand(task.command, env),
        cwd: droplet.folder,
        env,
        // It is never ready, it only ends; this pattern matches no line.
        startDetection: { kind: 'log', pattern: '(?!)' },
        startTimeoutMs: NEVER_MS,
        stopGraceMs: cloud.delays.stopGrace,
        restart: false,
      });
      // Cancelled while it was being placed.
      if (task.state === 'CANCELING') await runner.stop(task.guid);
    } catch (error) {
      end(task, error instanceof Error ? error.message : String(error));
    }
  }

  const disposers = [
    runner.onChange(observe),
    runner.onLog((line) => {
      const task = running.get(line.instance);
      if (task) log(task, line.text, line.stream === 'out' ? 'OUT' : 'ERR', line.at);
    }),
  ];

  function stop(task: TaskRow): Promise<void> {
    if (task.state === 'RUNNING') task.state = 'CANCELING';
    task.updatedAt = clock.now();
    return runner.stop(task.guid);
  }

  return {
    begin: (task, app, droplet) =>
      void clock.after(cloud.delays.placement, () => {
        if (task.state === 'CANCELING') end(task, 'task was cancelled');
        else void run(task, app, droplet);
      }),
    cancel: (task) => void stop(task),
    async drop(appGuid) {
      const own = [...state.tasks.values()].filter((task) => task.appGuid === appGuid);
      await Promise.all(own.map(stop));
      for (const { guid } of own) state.tasks.delete(guid);
    },
    async close() {
      await Promise.all([...running.values()].map(stop));
      for (const dispose of disposers) dispose();
    },
  };
}
