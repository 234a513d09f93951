import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../../src/core/errors.ts';
import { startChild } from '../child.ts';
import { type Contender, type ProxyPlace, schemeOf } from '../contender.ts';
import { freePort } from '../free-port.ts';
import { treeOf } from '../proc.ts';

export const nginx: Contender = {
  name: 'nginx',
  describe() {
    const asked = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
    const version = /nginx\/([\d.]+)/.exec(asked.stderr ?? '')?.[1];
    return version === undefined ? { missing: 'nginx is not on PATH' } : { version };
  },
  async start(place) {
    const { folder, setup } = place;
    const port = await freePort();
    const file = join(folder, 'nginx.conf');
    await writeFile(file, nginxConfiguration(port, place));
    const child = await startChild({
      name: 'nginx',
      command: 'nginx',
      args: ['-p', folder, '-c', file, '-e', 'stderr'],
      core: place.core,
      cwd: folder,
      // On stderr, at level `notice`, once it has bound its port and forked.
      ready: (line) => line.includes('start worker process '),
    });
    const worker = treeOf(child.pid).find((pid) => pid !== child.pid);
    if (worker === undefined) {
      await child.stop();
      throw new SluiceError('NOT_HEALTHY', 'nginx runs without a worker', { where: 'nginx' });
    }
    return { url: `${schemeOf(setup.downstream)}://127.0.0.1:${port}`, dataPathPid: worker, child };
  },
};

/**
 * One worker that does for a request what the gateway does: keep-alive both ways, two origins in turn, forwarded
 * headers, Via. Where it logs it may batch as the gateway does, although that is not its default.
 */
export function nginxConfiguration(port: number, place: ProxyPlace): string {
  const { folder, setup, certificate, connections, origins } = place;
  const listen = { http: '', https: ' ssl', h2: ' ssl http2' }[setup.downstream];
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile ${connections * 2 + 2048};
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections ${connections + 2048}; }
http {
  log_format bench escape=json '{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method",'
    '"host":"$host","target":"$request_uri","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time,'
    '"origin":"$upstream_addr","originSeconds":"$upstream_response_time","request":"$request_id","agent":"$http_user_agent"}';
  access_log ${setup.accessLog ? `${folder}/access.log bench buffer=64k flush=1s` : 'off'};
  # The default closes a connection after 1000 requests, which the load would count as an error.
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream origin {
${origins.map((origin) => `    server ${new URL(origin).host};`).join('\n')}
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port}${listen} backlog=4096;
    ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {
      proxy_pass ${setup.upstream}://origin;
      proxy_ssl_trusted_certificate ${certificate.cert};
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
      proxy_ssl_server_name on;
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
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
