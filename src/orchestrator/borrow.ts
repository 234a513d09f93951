import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../core/errors.ts';
import type { StagedArtifact } from '../core/provider.ts';
import type { TransferPower } from '../core/transfer-power.ts';
import type { Lent } from './lending.ts';
import { Stopped, type TargetRun } from './target-run.ts';

const KEY = 'stage:taken';

/**
 * Takes what another platform has built for this release. Undefined where there is nothing to take, or it cannot be
 * taken: then this platform builds it itself, and a person is told why.
 */
export async function borrowed(run: TargetRun, deadlineMs: number): Promise<StagedArtifact | undefined> {
  const { buildOn: lender, lending, want } = run.job;
  if (lender === undefined || lending === undefined || want.image !== undefined) return undefined;
  const { handle, handleOf = handle?.kind } = run.target;
  // Whoever was here before us had begun to build.
  if (handle !== undefined && handleOf === 'stage') return undefined;
  try {
    if (handle !== undefined && handleOf === KEY) return await goOn(run, deadlineMs);
    const there = run.context.provider(lender).transfer;
    const here = run.provider.transfer;
    if (there === undefined || here === undefined)
      throw new Untaken('platforms of this kind give nothing away');
    run.report('staging', `waits for what ${lender} builds`);
    const lent = await run.unlessAborted(lending.of(lender));
    run.checkpoint();
    return await take(run, { lender, lent, there, here, deadlineMs });
  } catch (caught) {
    if (caught instanceof Stopped || run.providerContext.signal.aborted || !run.context.mayWrite())
      throw caught;
    const why = caught instanceof Untaken ? caught.message : reasonIn(SluiceError.from(caught));
    run.report('staging', `what ${lender} builds is not taken: ${why}; it is built here`);
    return undefined;
  }
}

/** Why it is built here after all; nobody did anything wrong. */
class Untaken extends Error {}

interface Loan {
  readonly lender: string;
  readonly lent: Lent;
  readonly there: TransferPower;
  readonly here: TransferPower;
  readonly deadlineMs: number;
}

async function take(
  run: TargetRun,
  { lender, lent, there, here, deadlineMs }: Loan,
): Promise<StagedArtifact | undefined> {
  const { want } = run.job;
  const context = run.providerContext;
  const artifact =
    'artifact' in lent ? lent.artifact : await there.find(context, want.application, want.release.id);
  if (artifact === undefined) throw new Untaken('why' in lent ? lent.why : 'there is nothing');
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-built-'));
  try {
    const built = await run.unlessAborted(there.take(context, artifact, scratch));
    run.report('staging', `takes what ${lender} built`);
    return await run.perform({
      kind: 'stage',
      key: KEY,
      deadlineMs,
      begin: (_provider, given) => here.give(given, want, built),
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The file of then is gone: what its upload has not reached is built. */
function goOn(run: TargetRun, deadlineMs: number): Promise<StagedArtifact | undefined> {
  return run.perform({
    kind: 'stage',
    key: KEY,
    deadlineMs,
    begin: () => Promise.reject(new Untaken('its upload broke off')),
  });
}

function reasonIn({ message, details }: SluiceError): string {
  return [message, details.why].filter(Boolean).join(': ');
}
