import { SluiceError } from '../core/errors.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, chooseApplication } from './options.ts';
import { openSession, type Session, serverSession } from './session.ts';
import { openViewClient, viewSettings } from './view-client.ts';

/** A server that is named must answer; one that only might run is done without. */
export async function openViewSession(options: CommonOptions, io: CliIo): Promise<Session> {
  const settings = viewSettings(options, io);
  return settings ? openSession(settings, options, io) : serverSession(await openViewClient(options, io));
}

/** The application a person means: by name, or the only one that the configuration or else the server knows. */
export async function meantApplication(
  session: Session,
  name: string | undefined,
  options: CommonOptions,
  io: CliIo,
): Promise<string> {
  const settings = viewSettings(options, io);
  if (settings !== undefined) return chooseApplication(settings, name ?? options.app).name;
  const named = name ?? options.app;
  if (named !== undefined) return named;
  const names = (await session.status()).applications.map((application) => application.name);
  if (names.length === 1) return names[0]!;
  throw new SluiceError('USAGE', 'there are several applications', {
    remedy: `name one of: ${names.join(', ')}`,
  });
}
