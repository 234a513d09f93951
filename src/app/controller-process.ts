import { Command } from 'commander';
import type { CliIo } from '../cli/io.ts';
import { commandLogger } from '../cli/logging.ts';
import { type ServeOptions, serveSettings, withServeOptions } from '../cli/serve.ts';
import { SluiceError } from '../core/errors.ts';
import type { FromSupervisor, FromWorker, ToSupervisor, ToWorker } from '../core/messages.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { createRedactor } from '../lib/redact.ts';
import { createController } from './controller.ts';

/** The supervisor's child that knows and decides. It has the same arguments as the supervisor and reads the same file. */
export async function runControllerProcess(args: readonly string[]): Promise<void> {
  // Ctrl-C reaches the whole group; the supervisor ends us last, by SIGTERM.
  process.on('SIGINT', () => undefined);
  // Without a supervisor there are no workers to decide for.
  process.on('disconnect', () => process.exit(1));
  // Whoever read our log is gone; deciding goes on.
  process.stderr.on('error', () => undefined);
  const io = controllerIo();
  let redact = createRedactor([]);
  function send(message: ToWorker | ToSupervisor, sent: () => void = () => undefined): void {
    if (process.connected) process.send?.(message, undefined, {}, sent);
  }
  // Node's own last words would print secrets as they are.
  process.on('uncaughtException', (error) => {
    io.stderr(redact.text(`the controller failed: ${error.stack ?? error.message}\n`));
    process.exit(1);
  });
  try {
    const sameDoor = process.env['SLUICE_ADMIN_PORT'];
    const options = { ...optionsIn(args), ...(sameDoor === undefined ? {} : { adminPort: sameDoor }) };
    const settings = serveSettings(options, io);
    redact = createRedactor(settings.secrets);
    const controller = await createController({
      settings,
      clock: systemClock,
      random: systemRandom,
      logger: commandLogger(io, options.json ?? false, settings.secrets, 'controller'),
      send,
    });
    process.on('message', (message) => controller.accept(message as FromWorker | FromSupervisor));
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
