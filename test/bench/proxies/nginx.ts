import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SluiceError } from '../../../src/core/errors.ts';
import { startChild } from '../child.ts';
import type { Contender } from '../contender.ts';
import { treeOf } from '../proc.ts';

export const nginx: Contender = {
  name: 'nginx',
  describe() {
    const asked = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
    const version = /nginx\/([\d.]+)/.exec(asked.stderr ?? '')?.[1];
    return version === undefined ? { missing: 'nginx is not on PATH' } : { version };
  },
  async start({ originUrl, folder, core }) {
    // nginx does not tell which port it took, so it must be told one.
    const port = await freePort();
    const file = join(folder, 'nginx.conf');
    await writeFile(file, nginxConfiguration(port, new URL(originUrl).host, folder));
    const child = await startChild({
      name: 'nginx',
      command: 'nginx',
      args: ['-p', folder, '-c', file, '-e', 'stderr'],
      core,
      cwd: folder,
      // On stderr, at level `notice`, once it has bound its port and forked.
      ready: (line) => line.includes('start worker process '),
    });
    const worker = treeOf(child.pid).find((pid) => pid !== child.pid);
    if (worker === undefined) {
      await child.stop();
      throw new SluiceError('NOT_HEALTHY', 'nginx runs without a worker', { where: 'nginx' });
    }
    return { url: `http://127.0.0.1:${port}`, dataPathPid: worker, child };
  },
};

/** One worker that does for a request what the gateway does: keep-alive both ways, forwarded headers, Via, no log. */
export function nginxConfiguration(port: number, origin: string, folder: string): string {
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  access_log off;
  # The default closes a connection after 1000 requests, which the load would count as an error.
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream origin {
    server ${origin};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header Via "1.1 bench";
    }
  }
}
`;
}

function freePort(): Promise<number> {
  return new Promise((found, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => found(port));
    });
  });
}
