import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Clock } from '../core/ports.ts';
import type { InstanceSpec } from '../core/runner.ts';
import { lineSplitter } from './line-splitter.ts';
import { identify, type ProcessIdentity } from './proc.ts';
import { terminateGroup } from './process-group.ts';
import {
  describeExit,
  type OnOutput,
  type ProcessExit,
  type SupervisedProcess,
} from './supervised-process.ts';

/** How long output may still come after the group is gone: something that left the group may hold the pipe. */
const LAST_OUTPUT_MS = 500;
const OWN_VARIABLES = ['PATH', 'HOME', 'LANG', 'TZ'] as const;

/**
 * Waits for one line on descriptor 3 before it becomes the command, so that nothing of the application runs before
 * its process is on record (with the guard, or in a state file). An owner that dies in between closes the pipe.
 */
const GATE = 'IFS= read -r _ <&3 || exit 1; exec 3<&-; exec sh -c "$1"';

interface LaunchOptions {
  readonly spec: InstanceSpec;
  readonly port: number;
  readonly clock: Clock;
  readonly onOutput: OnOutput;
  /** Puts the process on record; the application starts when it resolves. */
  readonly recorded: (identity: ProcessIdentity) => Promise<void>;
  /** Descriptors for stdout and stderr that outlive us; undefined reads both through pipes. */
  readonly output?: { readonly out: number; readonly err: number };
}

/** Rejects when the process cannot be spawned at all, e.g. because its folder is gone. */
export async function launch(options: LaunchOptions): Promise<SupervisedProcess> {
  const { spec, port, clock, output } = options;
  // Otherwise the system blames the shell: `spawn /bin/sh ENOENT`.
  if (!existsSync(spec.cwd)) throw new Error(`the folder ${spec.cwd} does not exist`);
  const stdio: StdioOptions = ['ignore', output?.out ?? 'pipe', output?.err ?? 'pipe', 'pipe'];
  const child = spawn('/bin/sh', ['-c', GATE, 'sh', spec.command], {
    cwd: spec.cwd,
    env: environmentOf(spec, port),
    detached: true,
    stdio,
  });
  const ended = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => resolve(describeExit(code, signal)));
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await spawned(child);
  const group = child.pid ?? 0;
  const identity = identify(group);
  const streams = [read(child.stdout, 'out', options.onOutput), read(child.stderr, 'err', options.onOutput)];

  let ending: Promise<void> | undefined;
  let leftAlone = false;
  const exited = ended.then(async (exit) => {
    // The group is somebody else's to end now, who may be giving it time.
    if (leftAlone) return exit;
    // What the leader left behind would hold the port; if it is being stopped it has its grace for that.
    await (ending ?? terminateGroup(group, 0, clock));
    // `after`, not `sleep`: the wait must end with the output, or it would keep our own process for nothing.
    await new Promise<void>((done) => {
      const late = clock.after(LAST_OUTPUT_MS, done);
      void closed.then(() => {
        late();
        done();
      });
    });
    for (const stream of streams) stream();
    return exit;
  });
  await open(child, options.recorded(identity));

  return {
    identity,
    exited,
    async terminate(graceMs) {
      ending ??= terminateGroup(group, graceMs, clock);
      await exited;
    },
    leave() {
      leftAlone = true;
      child.unref();
      for (const stream of streams) stream();
    },
  };
}

function environmentOf(spec: InstanceSpec, port: number): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of OWN_VARIABLES) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...spec.env, PORT: String(port) };
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

async function open(child: ChildProcess, recorded: Promise<void>): Promise<void> {
  const gate = child.stdio[3];
  if (!gate || !('write' in gate)) return;
  gate.on('error', () => undefined);
  try {
    await recorded;
    gate.end('go\n');
  } catch (error) {
    gate.destroy();
    throw error;
  }
}

/** Returns what stops the reading and hands out the unfinished last line. */
function read(stream: Readable | null, name: 'out' | 'err', onOutput: OnOutput): () => void {
  if (stream === null) return () => undefined;
  const lines = lineSplitter();
  stream.on('data', (chunk: Buffer) => {
    for (const line of lines.feed(chunk)) onOutput(name, line);
  });
  stream.on('error', () => undefined);
  return () => {
    for (const line of lines.end()) onOutput(name, line);
    stream.destroy();
  };
}
