import { platformError } from '../../../src/core/errors.ts';
import type { Clock } from '../../../src/core/ports.ts';
import { lifeIn, type TokenSource } from './grant.ts';

/** Whoever writes the file does so long before the old token ends. */
const LOOK_EVERY_MS = 10_000;

/** A file that somebody keeps up to date, as Kubernetes does with the tokens it mounts into pods. */
export function tokenFile(
  platform: string,
  path: string,
  clock: Clock,
  read: (path: string) => Promise<string>,
): TokenSource {
  return {
    renews: true,
    async next() {
      const token = await contentOf(platform, path, read);
      return { token, endsAt: lifeIn(token).endsAt, renewAt: clock.now() + LOOK_EVERY_MS };
    },
  };
}

async function contentOf(
  platform: string,
  path: string,
  read: (path: string) => Promise<string>,
): Promise<string> {
  let why = 'it is empty';
  try {
    const token = (await read(path)).trim();
    if (token !== '') return token;
  } catch (error) {
    why = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
  }
  throw platformError('auth', platform, `there is no token in ${path}`, {
    why,
    remedy: `correct platforms.${platform}.credentials.tokenFile, or see why nobody writes it`,
  });
}
