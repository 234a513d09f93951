import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Settings } from '../core/settings.ts';
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
  const settings = viewSettings(options, io);
  if (settings) return serverClient(adminUrlOf(settings), given ?? ownToken(settings));
  return serverClient(options.server ?? DEFAULT_SERVER, given);
}

/** Undefined when none is needed, or when nobody named one and there is none. One with faults is still an error. */
export function viewSettings(options: CommonOptions, io: CliIo): Settings | undefined {
  if (options.server !== undefined) return undefined;
  const nobodysWish = options.file === 'sluice.yaml' && !existsSync(resolve(io.cwd, options.file));
  return nobodysWish ? undefined : readSettings(io, options.file);
}
