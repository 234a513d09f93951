import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A configuration of one running origin behind a gateway of two workers; its path. */
export async function twoWorkers(dir: string, origin: string, gateway = ''): Promise<string> {
  const path = join(dir, 'two-workers.yaml');
  await writeFile(
    path,
    `version: 1
platforms:
  a: { provider: static, origins: ["${origin}"] }
applications:
  shop:
    targets: { a: {} }
gateway: { workers: 2, listen: [ { port: 0 } ], admin: { port: 0 }${gateway} }
`,
  );
  return path;
}
