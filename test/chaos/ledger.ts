import type { Sample } from './samples.ts';

/** What became of the requests that must not be executed twice. */
export interface LedgerFindings {
  readonly sent: number;
  readonly ok: number;
  /** The client was told, or could tell, that it may have failed; some of them were executed all the same. */
  readonly failed: number;
  readonly failedButExecuted: number;
  /** Executed more than once, on whichever side. */
  readonly twice: readonly string[];
  /** The client was told that it succeeded, and nobody executed it. */
  readonly lost: readonly string[];
}

/** `executed`: what the origins wrote down, all of them together. */
export function compareLedger(samples: readonly Sample[], executed: readonly string[]): LedgerFindings {
  const times = new Map<string, number>();
  for (const target of executed) times.set(target, (times.get(target) ?? 0) + 1);
  const findings = { sent: 0, ok: 0, failed: 0, failedButExecuted: 0 };
  const twice: string[] = [];
  const lost: string[] = [];
  for (const { unsafe, outcome } of samples) {
    if (unsafe === undefined) continue;
    const count = times.get(unsafe) ?? 0;
    findings.sent += 1;
    if (outcome === 'ok') findings.ok += 1;
    else findings.failed += 1;
    if (outcome !== 'ok' && count > 0) findings.failedButExecuted += 1;
    if (count > 1) twice.push(unsafe);
    if (outcome === 'ok' && count === 0) lost.push(unsafe);
  }
  return { ...findings, twice, lost };
}
