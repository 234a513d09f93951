import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SluiceError } from '../../src/core/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { residentBytes } from '../bench/proc.ts';
import { firstAnswer } from './first-answer.ts';
import { forkProgram } from './forked.ts';
import { freePorts } from './free-ports.ts';
import { startGatewayProcess } from './gateway-process.ts';
import type { Judged } from './limits.ts';
import { Origin } from './origin.ts';
import type { IdleOrder, IdleWord } from './soak-messages.ts';
import { openFilesOf } from './sockets.ts';

/** One worker with many clients that are connected and silent. */
export interface IdleFindings {
  readonly clients: number;
  /** Resident memory of the worker before the first, with all, and after the last. */
  readonly beforeBytes: number;
  readonly residentBytes: number;
  readonly afterBytes: number;
  readonly filesBefore: number;
  readonly filesAfter: number;
}

export interface IdleContext {
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** For 10,000 clients. */
export const IDLE_LIMIT_BYTES = 150e6;
const CLIENTS_A_PROCESS = 5_000;
const SILENCE_MS = 5_000;
const SPARE_FILES = 500;
const PROGRAM = resolve(import.meta.dirname, 'idle-process.js');

/** Throws `USAGE` where the machine does not allow so many open files. Ends all that it started. */
export async function measureIdle(clients: number, { folder, signal }: IdleContext): Promise<IdleFindings> {
  const allowed = openFilesAllowed(readFileSync('/proc/self/limits', 'utf8'));
  if (allowed < clients + SPARE_FILES) {
    throw new SluiceError(
      'USAGE',
      `a process may have ${allowed} files open here, too few for ${clients} clients`,
      {
        remedy: `raise the hard limit (ulimit -Hn ${clients + SPARE_FILES}) or hold fewer`,
      },
    );
  }
  const [port] = await freePorts(1);
  const origin = new Origin({
    name: 'primary',
    port: port!,
    ledgerFile: `${folder}/ledger`,
    bodyBytes: 1_024,
    latencyMs: 0,
  });
  await origin.start();
  const gateway = await startGatewayProcess(idleConfiguration(origin.url), folder);
  const processes = Array.from({ length: Math.ceil(clients / CLIENTS_A_PROCESS) }, () =>
    forkProgram<IdleOrder, IdleWord>(PROGRAM, []),
  );
  try {
    const { workerPid } = gateway;
    await firstAnswer(gateway.port, 'primary', signal);
    await systemClock.sleep(1_000, signal);
    const beforeBytes = residentBytes(workerPid);
    const filesBefore = openFilesOf(workerPid).files;
    let left = clients;
    for (const one of processes) {
      const share = Math.min(CLIENTS_A_PROCESS, left);
      left -= share;
      const here = one.next('here', (word): word is IdleWord => word.kind === 'here');
      one.send({ kind: 'come', port: gateway.port, clients: share });
      const { answered, why } = await here;
      if (answered < share) {
        throw new SluiceError('NOT_HEALTHY', `${share - answered} of ${share} clients got no answer`, {
          where: `port ${gateway.port}`,
          ...(why === undefined ? {} : { why }),
        });
      }
    }
    await systemClock.sleep(SILENCE_MS, signal);
    const resident = residentBytes(workerPid);
    for (const one of processes) await one.kill();
    await systemClock.sleep(SILENCE_MS, signal);
    return {
      clients,
      beforeBytes,
      residentBytes: resident,
      afterBytes: residentBytes(workerPid),
      filesBefore,
      filesAfter: openFilesOf(workerPid).files,
    };
  } finally {
    for (const one of processes) await one.kill();
    await gateway.child.stop();
    await origin.kill();
  }
}

export function judgeIdle(findings: IdleFindings): readonly Judged[] {
  const { clients, residentBytes: resident, filesBefore, filesAfter } = findings;
  // The limit is for 10,000; beside the clients there is the program itself.
  const limit = clients <= 10_000 ? IDLE_LIMIT_BYTES : (IDLE_LIMIT_BYTES * clients) / 10_000;
  return [
    {
      limit: `memory stays below ${(limit / 1e6).toFixed(0)} MB`,
      found: `${(resident / 1e6).toFixed(0)} MB`,
      verdict: resident < limit ? 'met' : 'missed',
    },
    {
      limit: 'every file is closed once they have left',
      found: `${filesAfter} open, ${filesBefore} before`,
      verdict: filesAfter <= filesBefore ? 'met' : 'missed',
    },
  ];
}

/** The hard limit of /proc/PID/limits: Node raises the soft one itself. */
export function openFilesAllowed(limits: string): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard ?? 0);
}

function idleConfiguration(originUrl: string): string {
  return `version: 1
platforms:
  here: { provider: static, origins: ["${originUrl}"] }
applications:
  idle:
    health: { path: /healthz }
    targets:
      here: { tier: 1 }
gateway:
  listen: [{ host: 127.0.0.1, port: 0 }]
`;
}
