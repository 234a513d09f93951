import { Command } from 'commander';
import type { CliIo } from '../cli/io.ts';
import { commandLogger } from '../cli/logging.ts';
import { withServeOptions } from '../cli/serve.ts';
import { configInvalid } from '../config/load.ts';
import { SluiceError } from '../core/errors.ts';
import type { FromSupervisor, FromWorker, ToSupervisor, ToWorker } from '../core/messages.ts';
import type { Settings } from '../core/settings.ts';
import type { RefusedConfiguration } from '../core/status.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { createRedactor } from '../lib/redact.ts';
import { type ReadConfiguration, readConfiguration, type ServeOptions } from './configuration.ts';
import { createController } from './controller.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { refusal } from './reload.ts';

/** The supervisor says at once whether there was a controller before this one. */
const PREDECESSOR_MS = 500;

/** The supervisor's child that knows and decides. It has the same arguments as the supervisor and reads the same file. */
export async function runControllerProcess(args: readonly string[]): Promise<void> {
  // Ctrl-C reaches the whole group; the supervisor ends us last, by SIGTERM.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  // Without a supervisor there are no workers to decide for.
  process.on('disconnect', () => process.exit(1));
  // Whoever read our log is gone; deciding goes on.
  process.stderr.on('error', () => undefined);
  const io = controllerIo();
  let secrets: readonly string[] = [];
  let redact = createRedactor(secrets);
  function hide(more: readonly string[]): void {
    secrets = [...new Set([...secrets, ...more])];
    redact = createRedactor(secrets);
  }
  function send(message: ToWorker | ToSupervisor, sent: () => void = () => undefined): void {
    if (process.connected) process.send?.(message, undefined, {}, sent);
  }
  // Node's own last words would print secrets as they are.
  process.on('uncaughtException', (error) => {
    io.stderr(redact.text(`the controller failed: ${error.stack ?? error.message}\n`));
    process.exit(1);
  });
  const mailbox = createMailbox<FromWorker | FromSupervisor>((listener) =>
    process.on('message', (message) => listener(message as FromWorker | FromSupervisor)),
  );
  try {
    const sameDoor = process.env['SLUICE_ADMIN_PORT'];
    const options = { ...optionsIn(args), ...(sameDoor === undefined ? {} : { adminPort: sameDoor }) };
    const read = (): ReadConfiguration => readConfiguration(options, io);
    const begin = await beginning(options, read(), { io, mailbox });
    hide(begin.settings.secrets);
    const controller = await createController({
      ...begin,
      ...{ read, hide },
      clock: systemClock,
      random: systemRandom,
      logger: commandLogger(io, options.json ?? false, (line) => redact.text(line), 'controller'),
      send,
    });
    mailbox.open((message) => controller.accept(message));
    process.on('SIGTERM', () => {
      controller.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
    await controller.start();
    send({ to: 'supervisor', type: 'controller-ready', adminPort: controller.adminPort });
  } catch (caught) {
    const { code, message, details } = SluiceError.from(caught);
    const { cause, ...plain } = details;
    if (code === 'BUG') io.stderr(redact.text(`${cause instanceof Error ? cause.stack : message}\n`));
    // The message must be out before we are.
    send({ to: 'supervisor', type: 'failed', code, message, details: plain }, () => process.exit(1));
  }
}

interface Beginning {
  readonly settings: Settings;
  readonly files: ReadConfiguration['files'];
  readonly refused?: RefusedConfiguration;
}

/**
 * What stands in the file; and where that is no good and another controller ran before, what that one had read. At a
 * first start nobody serves yet, so it is better not to begin.
 */
async function beginning(
  options: ServeOptions,
  found: ReadConfiguration,
  { io, mailbox }: { io: CliIo; mailbox: Mailbox<FromWorker | FromSupervisor> },
): Promise<Beginning> {
  const { settings, diagnostics, files } = found;
  if (settings !== undefined) return { settings, files };
  const error = configInvalid(options.file, diagnostics);
  const told = await mailbox.first(({ type }) => type === 'predecessor-gone', systemClock, PREDECESSOR_MS);
  if (told?.type !== 'predecessor-gone' || told.files === undefined) throw error;
  const kept = readConfiguration(options, { ...io, files: told.files });
  if (kept.settings === undefined) throw error;
  return { settings: kept.settings, files, refused: refusal(error, diagnostics, systemClock.now()) };
}

function optionsIn(args: readonly string[]): ServeOptions {
  const command = withServeOptions(new Command('serve')).exitOverride();
  // The first argument is the command's own name.
  command.parse([...args.slice(1)], { from: 'user' });
  return command.opts();
}

function controllerIo(): CliIo {
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    isTty: process.stderr.isTTY === true,
    columns: 80,
    signal: new AbortController().signal,
    exit() {},
  };
}
