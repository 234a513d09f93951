import type { WireError } from '../../src/core/errors.ts';
import { fromWire, SluiceError, toWire } from '../../src/core/errors.ts';
import {
  type Bundle,
  type LogLine,
  type Operation,
  type OperationHandle,
  type PlatformProvider,
  type ProviderContext,
  RETRYABLE,
  type StagedArtifact,
  type TargetSpec,
} from '../../src/core/provider.ts';
import { systemClock } from '../../src/lib/clock.ts';

/** The part of a harness the driver needs. */
export interface ProviderSource {
  provider(): PlatformProvider;
  readonly pollMs?: number;
}

/** How an operation ended, whether it failed at submission or later. */
export type Settled =
  | {
      readonly state: 'succeeded';
      readonly artifact: StagedArtifact | undefined;
      readonly messages: string[];
    }
  | { readonly state: 'failed'; readonly error: WireError };

/** The suite's hands: makes providers, follows operations as an orchestrator does, and remembers to close. */
export interface Driver {
  readonly context: ProviderContext;
  readonly lines: LogLine[];
  fresh(): PlatformProvider;
  /** Submits and follows to the end, each poll by another provider instance from a handle that went through JSON. */
  settle(submit: Promise<Operation>): Promise<Settled>;
  follow(operation: Operation): Promise<Settled>;
  succeed(submit: Promise<Operation>): Promise<StagedArtifact | undefined>;
  fail(submit: Promise<Operation>): Promise<WireError>;
  /** As `succeed`, beginning anew as long as the platform is only out of reach. */
  persist(submit: () => Promise<Operation>): Promise<StagedArtifact | undefined>;
  stage(want: TargetSpec, bundle: Bundle): Promise<StagedArtifact>;
  deploy(want: TargetSpec, bundle: Bundle): Promise<void>;
  /** The class of error an ordinary call ends with. */
  refusal(call: Promise<unknown>): Promise<SluiceError>;
  close(): Promise<void>;
}

const LONGEST_OPERATION_MS = 50_000;

export function createDriver(source: ProviderSource, slowness = 1): Driver {
  const opened: PlatformProvider[] = [];
  const lines: LogLine[] = [];
  const context: ProviderContext = {
    signal: new AbortController().signal,
    now: () => systemClock.now(),
    log: (line) => void lines.push(line),
  };

  function fresh(): PlatformProvider {
    const provider = source.provider();
    opened.push(provider);
    return provider;
  }

  async function follow(operation: Operation): Promise<Settled> {
    const messages: string[] = [];
    if (operation.done) return { state: 'succeeded', artifact: operation.done.artifact, messages };
    // Two instances in turn: what one learned must not be needed by the other.
    const pollers = [fresh(), fresh()];
    let handle = stored(operation.handle);
    const deadline = systemClock.monotonic() + LONGEST_OPERATION_MS * slowness;
    for (let turn = 0; systemClock.monotonic() < deadline; turn++) {
      const poller = pollers[turn % 2];
      if (!poller) break;
      const status = await poller.poll(context, handle);
      if (status.state === 'succeeded') return { state: 'succeeded', artifact: status.artifact, messages };
      if (status.state === 'failed') return { state: 'failed', error: status.error };
      if (status.state === 'lost') throw new Error(`${handle.kind} was lost: ${status.message}`);
      messages.push(status.message);
      if (status.handle) handle = stored(status.handle);
      const pause = source.pollMs ?? 30;
      await systemClock.sleep(Math.min(status.retryAfterMs ?? pause, pause));
    }
    throw new Error(`${handle.kind} did not end; last: ${messages.at(-1)}`);
  }

  async function settle(submit: Promise<Operation>): Promise<Settled> {
    let operation: Operation;
    try {
      operation = await submit;
    } catch (error) {
      if (error instanceof SluiceError) return { state: 'failed', error: toWire(error) };
      throw error;
    }
    return follow(operation);
  }

  async function succeed(submit: Promise<Operation>): Promise<StagedArtifact | undefined> {
    const settled = await settle(submit);
    if (settled.state === 'failed') throw new Error(`failed: ${JSON.stringify(settled.error)}`);
    return settled.artifact;
  }

  async function persist(submit: () => Promise<Operation>): Promise<StagedArtifact | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await follow(await submit()).then((settled) => {
          if (settled.state === 'failed') throw fromWire(settled.error);
          return settled.artifact;
        });
      } catch (error) {
        const transient =
          error instanceof SluiceError && error.class !== undefined && RETRYABLE.has(error.class);
        if (!transient || attempt === 20) throw error;
      }
    }
  }

  async function stage(want: TargetSpec, bundle: Bundle): Promise<StagedArtifact> {
    const artifact = await succeed(fresh().stage(context, want, bundle));
    if (!artifact) throw new Error('stage succeeded without an artifact');
    return JSON.parse(JSON.stringify(artifact)) as StagedArtifact;
  }

  return {
    context,
    lines,
    fresh,
    settle,
    follow,
    succeed,
    persist,
    stage,
    async fail(submit) {
      const settled = await settle(submit);
      if (settled.state === 'succeeded') throw new Error('it should have failed');
      return settled.error;
    },
    async deploy(want, bundle) {
      const artifact = await stage(want, bundle);
      await succeed(fresh().apply(context, want, artifact));
    },
    async refusal(call) {
      const caught = await call.then(
        () => undefined,
        (error: unknown) => error,
      );
      if (caught instanceof SluiceError) return caught;
      throw new Error(`expected a SluiceError, got ${String(caught)}`, { cause: caught });
    },
    async close() {
      for (const provider of opened) await provider.close();
    },
  };
}

/** A handle must survive the journal. */
function stored(handle: OperationHandle): OperationHandle {
  return JSON.parse(JSON.stringify(handle)) as OperationHandle;
}
