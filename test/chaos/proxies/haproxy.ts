import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from '../../bench/child.ts';
import type { Contender, DrillPlace } from './contender.ts';

export const haproxy: Contender = {
  name: 'haproxy',
  describe() {
    const asked = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
    const version = /version ([\d.]+)/.exec(asked.stdout ?? '')?.[1];
    return version === undefined ? { missing: 'haproxy is not on PATH' } : { version };
  },
  async start(place) {
    const file = join(place.folder, 'haproxy.cfg');
    await writeFile(file, haproxyConfiguration(place));
    const child = await startChild({
      name: 'haproxy',
      command: 'haproxy',
      // Master and worker in the foreground: so it tells when it serves.
      args: ['-W', '-db', '-f', file],
      core: undefined,
      cwd: place.folder,
      ready: (line) => line.includes('Loading success'),
    });
    return { port: place.port, child };
  },
};

/**
 * As good at this job as we can make it: fast checks, traffic itself is observed, safe requests are sent again after
 * anything that allows it and at once elsewhere, others never (`disable-l7-retry`).
 */
export function haproxyConfiguration({ primary, secondary, port }: DrillPlace): string {
  return `global
  maxconn 8000
  nbthread 1
defaults
  mode http
  timeout connect 250ms
  timeout client 30s
  timeout server 400ms
  timeout http-keep-alive 30s
  timeout queue 1s
  timeout check 400ms
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response response-timeout 503
  http-reuse safe
frontend drill
  bind 127.0.0.1:${port} backlog 4096
  default_backend origins
backend origins
  http-request disable-l7-retry unless METH_GET or { method HEAD }
  option httpchk GET /healthz
  default-server check inter 200ms fastinter 100ms downinter 200ms fall 2 rise 2 observe layer7 error-limit 3 on-error mark-down
  server primary 127.0.0.1:${primary}
  server secondary 127.0.0.1:${secondary} backup
`;
}
