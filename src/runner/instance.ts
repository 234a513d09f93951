import type { Clock, Random } from '../core/ports.ts';
import type { InstanceSpec, RunnerLogLine, RunningInstance } from '../core/runner.ts';
import { emitter } from '../lib/emitter.ts';
import { type LogRing, logRing } from './log-ring.ts';
import type { ProcessIdentity } from './proc.ts';
import { afterExit, NO_EXITS } from './restart-policy.ts';
import { type RotatingFile, rotatingFile } from './rotating-file.ts';
import { detectStart } from './start-detection.ts';
import type { OnOutput, ProcessExit, SupervisedProcess } from './supervised-process.ts';

const LINES_KEPT = 500;

export interface InstanceDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Starts the process once; called anew for every restart. Rejects when it cannot be spawned. */
  readonly launch: (spec: InstanceSpec, port: number, onOutput: OnOutput) => Promise<SupervisedProcess>;
  /** The port to use for the next start; `before` is the last one. Rejects when it cannot be had. */
  readonly port: (spec: InstanceSpec, before: number) => Promise<number>;
  readonly changed: (instance: RunningInstance) => void;
  readonly printed: (line: RunnerLogLine) => void;
}

/** One supervised instance: started, watched, restarted, stopped. */
export interface Instance {
  readonly spec: InstanceSpec;
  readonly logs: LogRing<RunnerLogLine>;
  view(): Omit<RunningInstance, 'usage'>;
  process(): ProcessIdentity | undefined;
  /** Resolves after the first spawn (or the failure of it). */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops supervising and leaves the process running. */
  leave(): Promise<void>;
}

/** What a former owner left: the process still runs and may be ready already. */
export interface Inherited {
  readonly process: (onOutput: OnOutput) => SupervisedProcess;
  readonly ready: boolean;
  readonly restarts: number;
}

export function createInstance(
  spec: InstanceSpec,
  port: number,
  deps: InstanceDeps,
  inherited?: Inherited,
): Instance {
  const { clock, random } = deps;
  const logs = logRing<RunnerLogLine>(LINES_KEPT);
  const file: RotatingFile | undefined = spec.logFile === undefined ? undefined : rotatingFile(spec.logFile);
  const lines = emitter<string>();
  /** Set once the owner wants no further run: `stop` ends the process, `leave` does not. */
  const ended = new AbortController();
  let leaving = false;
  let current: SupervisedProcess | undefined;
  let finished: Promise<void> | undefined;
  let view: Omit<RunningInstance, 'usage'> = {
    id: spec.id,
    state: 'starting',
    port,
    pid: undefined,
    restarts: inherited?.restarts ?? 0,
    since: clock.now(),
    reason: undefined,
    exitCode: undefined,
  };

  function become(change: Partial<Omit<RunningInstance, 'usage'>>): void {
    const moved = change.state !== undefined && change.state !== view.state;
    view = { ...view, ...change, since: moved ? clock.now() : view.since };
    deps.changed({ ...view, usage: undefined });
  }

  const output: OnOutput = (stream, text) => {
    const line: RunnerLogLine = { instance: spec.id, at: clock.now(), stream, text };
    logs.push(line);
    file?.write(text);
    lines.fire(text);
    deps.printed(line);
  };

  async function supervise(begun: () => void): Promise<void> {
    let history = NO_EXITS;
    for (let run = 0; !ended.signal.aborted; run++) {
      const result = await runOnce(run === 0 ? inherited : undefined, begun);
      begun();
      if (leaving) return;
      if (ended.signal.aborted || spec.restart === false) {
        become({ state: 'stopped', pid: undefined, reason: result.exit.reason, exitCode: result.exit.code });
        return;
      }
      const next = afterExit(history, { at: clock.now(), readyAt: result.readyAt }, random);
      history = next.history;
      become({
        state: history.crashLoop ? 'crash-loop' : 'backing-off',
        pid: undefined,
        reason: result.exit.reason,
        exitCode: result.exit.code,
      });
      await clock.sleep(next.waitMs, ended.signal).catch(() => undefined);
      if (!ended.signal.aborted) become({ state: 'starting', restarts: view.restarts + 1 });
    }
    become({ state: 'stopped' });
  }

  /** A new process, or the one a former owner left; the reason where there is none. */
  async function obtain(from: Inherited | undefined): Promise<SupervisedProcess | string> {
    try {
      if (from !== undefined) return from.process(output);
      const port = await deps.port(spec, view.port);
      if (port !== view.port) view = { ...view, port };
      return await deps.launch(spec, port, output);
    } catch (error) {
      const why = `cannot start: ${error instanceof Error ? error.message : String(error)}`;
      output('err', why);
      return why;
    }
  }

  /** One run from start to end; also a start that failed is a run that ended. */
  async function runOnce(
    from: Inherited | undefined,
    begun: () => void,
  ): Promise<{ exit: ProcessExit; readyAt: number | undefined }> {
    const obtained = await obtain(from);
    if (typeof obtained === 'string')
      return { exit: { code: undefined, reason: obtained }, readyAt: undefined };
    const process = obtained;
    current = process;
    const over = new AbortController();
    const exit = process.exited.finally(() => over.abort());
    const waiting = AbortSignal.any([ended.signal, over.signal]);
    let readyAt: number | undefined;
    let late: string | undefined;
    const isReady = from?.ready
      ? Promise.resolve()
      : detectStart(spec.startDetection, view.port, lines.event, clock, waiting);
    const stopTimer = from?.ready ? () => undefined : clock.after(spec.startTimeoutMs, giveUp);
    function giveUp(): void {
      if (readyAt !== undefined || ended.signal.aborted) return;
      late = `not ready after ${spec.startTimeoutMs / 1_000}s`;
      become({ state: 'stopping', reason: late });
      void process.terminate(spec.stopGraceMs);
    }
    isReady.then(
      () => {
        stopTimer();
        if (waiting.aborted || late !== undefined) return;
        readyAt = clock.now();
        become({ state: 'running', reason: undefined, exitCode: undefined });
      },
      () => undefined,
    );
    become({ state: from?.ready ? 'running' : 'starting', pid: process.identity.pid });
    begun();
    // A stop that came while the process was being spawned found nothing to stop.
    if (leaving) process.leave();
    else if (ended.signal.aborted) void process.terminate(spec.stopGraceMs);
    const result = await exit;
    stopTimer();
    current = undefined;
    return { exit: late === undefined ? result : { code: result.code, reason: late }, readyAt };
  }

  return {
    spec,
    logs,
    view: () => view,
    process: () => current?.identity,
    start() {
      return new Promise((resolve) => {
        finished = supervise(resolve);
      });
    },
    async stop() {
      if (!ended.signal.aborted) {
        ended.abort();
        if (current !== undefined) become({ state: 'stopping' });
      }
      await current?.terminate(spec.stopGraceMs);
      await finished;
      await file?.close();
    },
    async leave() {
      leaving = true;
      ended.abort();
      current?.leave();
      await file?.close();
    },
  };
}
