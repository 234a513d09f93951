import { SluiceError } from '../core/errors.ts';
import type { CliIo } from './io.ts';
import type { CommonOptions } from './options.ts';
import { adminUrlOf, DEFAULT_SERVER, ownToken } from './server-address.ts';
import { type ServerClient, serverClient } from './server-client.ts';
import { readSettings } from './settings.ts';

/**
 * For commands that only look: `--server` needs no configuration at all; without it the configuration, if there
 * is one, says where the server listens.
 */
export async function openViewClient(options: CommonOptions, io: CliIo): Promise<ServerClient> {
  const given = options.token ?? io.env['SLUICE_TOKEN'];
  if (options.server !== undefined) return serverClient(options.server, given);
  try {
    const settings = readSettings(io, options.file);
    return serverClient(adminUrlOf(settings), given ?? ownToken(settings));
  } catch (error) {
    if (!(error instanceof SluiceError) || options.file !== 'sluice.yaml') throw error;
    return serverClient(DEFAULT_SERVER, given);
  }
}
