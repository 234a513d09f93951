import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../../src/core/errors.ts';
import { startChild } from '../child.ts';
import { type Contender, type ProxyPlace, schemeOf } from '../contender.ts';
import { freePort } from '../free-port.ts';
import { treeOf } from '../proc.ts';

export const haproxy: Contender = {
  name: 'haproxy',
  describe() {
    const asked = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
    const version = /version ([\d.]+)/.exec(asked.stdout ?? '')?.[1];
    return version === undefined ? { missing: 'haproxy is not on PATH' } : { version };
  },
  async start(place) {
    const { folder, setup } = place;
    const port = await freePort();
    const file = join(folder, 'haproxy.cfg');
    await writeFile(file, haproxyConfiguration(port, place));
    const child = await startChild({
      name: 'haproxy',
      command: 'haproxy',
      // With a master only because the master says when the worker serves.
      args: ['-W', '-db', '-f', file],
      core: place.core,
      cwd: folder,
      ready: (line) => line.includes('Loading success'),
    });
    const worker = treeOf(child.pid).find((pid) => pid !== child.pid);
    if (worker === undefined) {
      await child.stop();
      throw new SluiceError('NOT_HEALTHY', 'haproxy runs without a worker', { where: 'haproxy' });
    }
    return { url: `${schemeOf(setup.downstream)}://127.0.0.1:${port}`, dataPathPid: worker, child };
  },
};

/** One thread that does for a request what the gateway does, probes included; it logs to syslog only, so it never logs here. */
export function haproxyConfiguration(port: number, place: ProxyPlace): string {
  const { setup, certificate, connections, origins } = place;
  const tls = ` ssl crt ${certificate.both} alpn ${setup.downstream === 'h2' ? 'h2,http/1.1' : 'http/1.1'}`;
  const verify = setup.upstream === 'https' ? ` ssl verify required ca-file ${certificate.cert}` : '';
  return `global
  nbthread 1
  maxconn ${connections + 2048}
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
frontend clients
  bind 127.0.0.1:${port} backlog 4096${setup.downstream === 'http' ? '' : tls}
  default_backend origin
backend origin
  balance roundrobin
  http-reuse always
  # It keeps as many idle connections as it lately needed, and forgets that while another proxy is measured.
  default-server pool-low-conn 512 pool-purge-delay 5m
  option httpchk GET /healthz
  option forwardfor
  http-request set-header X-Forwarded-Proto ${schemeOf(setup.downstream)}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header Via "1.1 bench"
${origins.map((origin, index) => `  server origin${index} ${new URL(origin).host} check inter 1s${verify}`).join('\n')}
`;
}
