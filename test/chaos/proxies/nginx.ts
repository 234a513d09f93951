import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from '../../bench/child.ts';
import type { Contender, DrillPlace } from './contender.ts';

export const nginx: Contender = {
  name: 'nginx',
  describe() {
    const asked = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
    const version = /nginx\/([\d.]+)/.exec(asked.stderr ?? '')?.[1];
    return version === undefined ? { missing: 'nginx is not on PATH' } : { version };
  },
  async start(place) {
    const { folder, port } = place;
    const file = join(folder, 'nginx.conf');
    await writeFile(file, nginxConfiguration(place));
    const child = await startChild({
      name: 'nginx',
      command: 'nginx',
      args: ['-p', folder, '-c', file, '-e', 'stderr'],
      core: undefined,
      cwd: folder,
      ready: (line) => line.includes('start worker process '),
    });
    return { port, child };
  },
};

/**
 * As good at this job as we can make it: one failure is enough, the timeouts are twice what the slow primary takes,
 * POST is never sent again (`non_idempotent` is left out), and the secondary is a backup.
 */
export function nginxConfiguration({ primary, secondary, port, folder }: DrillPlace): string {
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream origins {
    server 127.0.0.1:${primary} max_fails=1 fail_timeout=2s;
    server 127.0.0.1:${secondary} backup;
    keepalive 1024;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://origins;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_connect_timeout 250ms;
      proxy_send_timeout 400ms;
      proxy_read_timeout 400ms;
      proxy_next_upstream error timeout http_503;
      proxy_next_upstream_tries 2;
    }
  }
}
`;
}
