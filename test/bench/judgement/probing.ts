import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FleetSize } from './fleet.ts';

export interface ProberOrder extends FleetSize {
  readonly ports: readonly number[];
  readonly seconds: number;
}

export interface ProbedSample {
  /** CPU seconds a second of monitor and engine, all threads. */
  readonly cores: number;
  /** Health paths asked a second; several follow one another on a connection, as the monitor keeps it. */
  readonly healthPerSecond: number;
  /** Signals of ports and routers a second; one probe is for all who share the address. */
  readonly otherPerSecond: number;
  readonly failed: number;
}

export interface ProbingReport extends FleetSize {
  readonly targets: number;
  readonly samples: readonly ProbedSample[];
}

const PORTS = 50;

/** Every application on every platform is a target; each is asked once a second. */
export async function measureProbing(
  size: FleetSize,
  { rounds, seconds, signal }: { rounds: number; seconds: number; signal: AbortSignal },
): Promise<ProbingReport> {
  const samples: ProbedSample[] = [];
  const targets = start('targets-process', [String(PORTS)]);
  try {
    const ports = (await answerOf(targets, signal)) as readonly number[];
    for (let round = 0; round < rounds; round++) samples.push(await sample(size, { ports, seconds, signal }));
  } finally {
    targets.kill('SIGKILL');
  }
  return { ...size, targets: size.applications * size.platforms, samples };
}

async function sample(
  size: FleetSize,
  { ports, seconds, signal }: { ports: readonly number[]; seconds: number; signal: AbortSignal },
): Promise<ProbedSample> {
  const prober = start('prober-process', []);
  try {
    await answerOf(prober, signal);
    const order: ProberOrder = { ...size, ports, seconds };
    prober.send(order);
    return (await answerOf(prober, signal)) as ProbedSample;
  } finally {
    prober.kill('SIGKILL');
  }
}

/** Beside this file, as compiled. */
function start(name: string, args: readonly string[]): ChildProcess {
  return fork(join(import.meta.dirname, `${name}.js`), args, { execArgv: [] });
}

async function answerOf(child: ChildProcess, signal: AbortSignal): Promise<unknown> {
  const gone = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.at(-1)} ended with ${code}`);
  });
  gone.catch(() => undefined);
  const [message] = (await Promise.race([once(child, 'message', { signal }), gone])) as [unknown];
  return message;
}
