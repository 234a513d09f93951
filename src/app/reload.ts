import { configInvalid } from '../config/load.ts';
import { type Diagnostic, formatDiagnostic } from '../core/diagnostics.ts';
import { SluiceError } from '../core/errors.ts';
import type { ConfigurationFiles } from '../core/messages.ts';
import type { Clock, EventLog, Logger } from '../core/ports.ts';
import type { GatewaySettings, Settings } from '../core/settings.ts';
import type { ConfigurationStatus, RefusedConfiguration } from '../core/status.ts';
import type { ReadConfiguration } from './configuration.ts';
import { changesBetween, checkChangeable } from './settings-changes.ts';

/** A signal wants an answer also when nothing changed; a file was merely written. */
export type ReloadCause = 'signal' | 'files';

export interface ReloadDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventLog;
  read(): ReadConfiguration;
  /** Fills in what the file may leave out, and hides its secrets. */
  complete(settings: Settings): Promise<Settings>;
  /** Throws when it could not be decided by these settings; changes nothing. */
  rehearse(before: Settings, next: Settings): Promise<void>;
  /** Resolves when every worker serves by these; throws what one of them could not. */
  configureWorkers(gateway: GatewaySettings): Promise<void>;
  /** Puts the rest in force. */
  take(before: Settings, next: Settings): Promise<void>;
  /** What to look at from now on. */
  watch(files: ReadConfiguration['files']): void;
  /** What the next controller may go back to. */
  keep(files: ConfigurationFiles): void;
}

export interface Reload {
  /** Reads the configuration again, after what is under way. */
  soon(cause: ReloadCause): void;
  readonly status: ConfigurationStatus;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

/** Invariant 5: a new configuration replaces the old one whole, after everything that can fail has been tried. */
export function createReload(
  deps: ReloadDeps,
  first: { readonly settings: Settings; readonly refused: RefusedConfiguration | undefined },
): Reload {
  const { clock, logger, events } = deps;
  let current = first.settings;
  let since = clock.now();
  let { refused } = first;
  let busy: Promise<void> = Promise.resolve();
  let waiting: ReloadCause | undefined;

  async function reload(cause: ReloadCause): Promise<void> {
    let diagnostics: readonly Diagnostic[] = [];
    try {
      const { settings, files, ...read } = deps.read();
      ({ diagnostics } = read);
      deps.watch(files);
      if (settings === undefined) throw configInvalid(current.file ?? 'the command line', diagnostics);
      const next = await deps.complete(settings);
      const changed = changesBetween(current, next);
      if (changed.length > 0) await replace(next);
      deps.keep(textsOf(files));
      refused = undefined;
      if (changed.length > 0) tell(changed, diagnostics);
      else if (cause === 'signal') logger.info({}, 'the configuration was read again; nothing has changed');
    } catch (caught) {
      refuse(SluiceError.from(caught), diagnostics);
    }
  }

  async function replace(next: Settings): Promise<void> {
    checkChangeable(current, next);
    await deps.rehearse(current, next);
    try {
      await deps.configureWorkers(next.gateway);
      await deps.take(current, next);
    } catch (caught) {
      // Those who could go back to what all of them can.
      await deps
        .configureWorkers(current.gateway)
        .catch((error: Error) =>
          logger.error({ err: error.message }, 'the old settings are not back everywhere'),
        );
      throw caught;
    }
    current = next;
    since = clock.now();
  }

  function tell(changed: readonly string[], diagnostics: readonly Diagnostic[]): void {
    for (const one of diagnostics) logger.warn({}, formatDiagnostic(one));
    logger.info({ changed }, 'the configuration was read again and is in force');
    events.append({ type: 'configuration.reloaded', changed, warnings: diagnostics.length });
  }

  function refuse(error: SluiceError, diagnostics: readonly Diagnostic[]): void {
    refused = refusal(error, diagnostics, clock.now());
    const { at: _at, diagnostics: _diagnostics, message, ...more } = refused;
    logger.error(more, `the configuration was not taken, the one before stays in force: ${message}`);
    events.append({ type: 'configuration.refused', message, ...more });
  }

  return {
    soon(cause) {
      // Whoever waits already reads what is there when its turn comes.
      const alreadyWaits = waiting !== undefined;
      if (waiting !== 'signal') waiting = cause;
      if (alreadyWaits) return;
      busy = busy.then(() => {
        const why = waiting ?? cause;
        waiting = undefined;
        return reload(why);
      });
    },
    get status() {
      return { file: current.file, since, ...(refused === undefined ? {} : { refused }) };
    },
    settled: () => busy,
  };
}

export function refusal(
  { message, details }: SluiceError,
  diagnostics: readonly Diagnostic[],
  at: number,
): RefusedConfiguration {
  const { where, why, remedy } = details;
  return {
    at,
    message,
    ...(where === undefined ? {} : { where }),
    ...(why === undefined ? {} : { why }),
    ...(remedy === undefined ? {} : { remedy }),
    diagnostics,
  };
}

export function textsOf(files: ReadConfiguration['files']): ConfigurationFiles {
  const texts: Record<string, string> = {};
  for (const [path, text] of files) if (text !== undefined) texts[path] = text;
  return texts;
}
