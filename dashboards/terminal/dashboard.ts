import { SluiceError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { Look } from './look.ts';
import { initialModel } from './model.ts';
import type { TerminalScreen } from './screen.ts';
import type { DashboardSource } from './source.ts';
import { type Command, type Message, update } from './update.ts';
import { view } from './view.ts';

export interface DashboardOptions {
  /** First words of the first line. */
  readonly title: string;
  readonly source: DashboardSource;
  readonly screen: TerminalScreen;
  readonly look: Look;
  readonly clock: Clock;
}

export interface Dashboard {
  /** Resolves when the person quit or `close` was called; rejects on a fault of ours. The terminal is restored before. */
  readonly closed: Promise<void>;
  /** A line across the screen until told otherwise. */
  banner(text: string | undefined): void;
  note(text: string): void;
  close(): void;
}

const POLL_MS = 500;
const PATIENCE_MS = 3_000;
const FOLLOW_AGAIN_MS = 2_000;
/** Ten pictures a second at most, however many events there are. */
const DRAW_MS = 100;

/** The shell round `update` and `view`: asks the server, hears keys, draws, and gives the terminal back. */
export function startDashboard({ title, source, screen, look, clock }: DashboardOptions): Dashboard {
  const stopping = new AbortController();
  let resolve: () => void = () => {};
  let reject: (fault: unknown) => void = () => {};
  const closed = new Promise<void>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  let model = initialModel(title, source.where, clock.now());
  let drawAgain: (() => void) | undefined;
  const disposers = [
    screen.onKey((key) => dispatch({ type: 'key', key }, true)),
    screen.onResize(() => guarded(draw)),
    clock.every(POLL_MS, () => {
      dispatch({ type: 'tick', at: clock.now() });
      void poll();
    }),
  ];

  function dispatch(message: Message, atOnce = false): void {
    if (stopping.signal.aborted) return;
    guarded(() => {
      const step = update(model, message);
      model = step.model;
      for (const command of step.commands) run(command);
      if (atOnce) draw();
      else drawSoon();
    });
  }

  function run(command: Command): void {
    if (command.type === 'quit') close();
    else void explain(command.application);
  }

  function drawSoon(): void {
    drawAgain ??= clock.after(DRAW_MS, () => guarded(draw));
  }

  function draw(): void {
    drawAgain?.();
    drawAgain = undefined;
    if (!stopping.signal.aborted) screen.draw(view(model, screen.size(), look));
  }

  /** A fault of ours must not leave the person with a broken terminal. */
  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      end(() => reject(error));
    }
  }

  let polling = false;
  async function poll(): Promise<void> {
    if (polling || stopping.signal.aborted) return;
    polling = true;
    // Also a server that accepts and never answers is gone.
    const patience = new AbortController();
    const late = clock.after(PATIENCE_MS, () =>
      patience.abort(new Error(`${source.where} has not answered for ${PATIENCE_MS / 1000} s`)),
    );
    try {
      const status = await source.status(AbortSignal.any([patience.signal, stopping.signal]));
      dispatch({ type: 'status', at: clock.now(), status });
    } catch (error) {
      const why = patience.signal.aborted ? patience.signal.reason : error;
      dispatch({ type: 'failed', at: clock.now(), why: sentence(why) });
    } finally {
      late();
      polling = false;
    }
  }

  async function explain(application: string): Promise<void> {
    try {
      dispatch({ type: 'explained', explanation: await source.explain(application) }, true);
    } catch (error) {
      dispatch({ type: 'unexplained', application, why: sentence(error) }, true);
    }
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await source.follow((event) => dispatch({ type: 'event', event }), stopping.signal);
      } catch {
        // The status says better what is wrong, and has the newest events too.
      }
      await clock.sleep(FOLLOW_AGAIN_MS, stopping.signal).catch(() => undefined);
    }
  }

  function end(settle: () => void): void {
    if (stopping.signal.aborted) return;
    stopping.abort();
    for (const dispose of disposers) dispose();
    drawAgain?.();
    screen.close();
    settle();
  }

  function close(): void {
    end(resolve);
  }

  guarded(draw);
  void poll();
  void follow();
  return {
    closed,
    banner: (text) => dispatch({ type: 'banner', text }, true),
    note: (text) => dispatch({ type: 'note', text }),
    close,
  };
}

function sentence(caught: unknown): string {
  const error = SluiceError.from(caught);
  const more = error.details.why ?? error.details.remedy;
  return more === undefined ? error.message : `${error.message} (${more})`;
}
