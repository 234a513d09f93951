import { describe, expect, it } from '@jest/globals';
import type { ProxyPlace } from './contender.ts';
import { BENCH_FOLDER } from './folders.ts';
import { haproxyConfiguration } from './proxies/haproxy.ts';
import { nginxConfiguration } from './proxies/nginx.ts';
import { installedVersion } from './proxies/node-peer.ts';
import { sluiceConfiguration } from './proxies/sluice.ts';
import { PROXIES } from './proxies.ts';
import { type Setup, WORKS } from './works.ts';

const place = (setup: Partial<Setup>): ProxyPlace => ({
  origins: ['http://127.0.0.1:1001', 'http://127.0.0.1:1002'],
  setup: { downstream: 'http', upstream: 'http', accessLog: false, ...setup },
  certificate: { cert: '/c/bench.crt', key: '/c/bench.key', both: '/c/bench.pem' },
  connections: 64,
  folder: '/f',
  core: 0,
});

describe('the contenders', () => {
  it('are all in the table that the works name', () => {
    const names = PROXIES.map(({ name }) => name);
    for (const work of WORKS) expect(names).toEqual(expect.arrayContaining([...work.proxies]));
  });

  it('share requests out over both origins', () => {
    for (const text of [
      nginxConfiguration(80, place({})),
      haproxyConfiguration(80, place({})),
      sluiceConfiguration(place({})),
    ]) {
      expect(text).toContain('127.0.0.1:1001');
      expect(text).toContain('127.0.0.1:1002');
    }
  });

  it('log only where the work says so', () => {
    expect(nginxConfiguration(80, place({}))).toContain('access_log off;');
    expect(nginxConfiguration(80, place({ accessLog: true }))).toContain('access_log /f/access.log bench');
    expect(JSON.parse(sluiceConfiguration(place({})))).not.toHaveProperty('gateway.accessLog');
    expect(JSON.parse(sluiceConfiguration(place({ accessLog: true })))).toHaveProperty(
      'gateway.accessLog.file',
      '/f/access.log',
    );
  });

  it('speak TLS towards clients, and HTTP/2 only where it is asked for', () => {
    const tls = place({ downstream: 'https' });
    const h2 = place({ downstream: 'h2' });
    expect(nginxConfiguration(80, tls)).toContain('listen 127.0.0.1:80 ssl backlog');
    expect(nginxConfiguration(80, h2)).toContain('listen 127.0.0.1:80 ssl http2 backlog');
    expect(haproxyConfiguration(80, tls)).toContain('alpn http/1.1');
    expect(haproxyConfiguration(80, h2)).toContain('alpn h2,http/1.1');
    expect(JSON.parse(sluiceConfiguration(tls))).toHaveProperty('gateway.listen[0].http2', false);
    expect(JSON.parse(sluiceConfiguration(h2))).toHaveProperty('gateway.listen[0].http2', true);
  });

  it('verify the certificate of an encrypted origin', () => {
    const upstream = place({ upstream: 'https' });
    expect(nginxConfiguration(80, upstream)).toContain('proxy_pass https://origin;');
    expect(nginxConfiguration(80, upstream)).toContain('proxy_ssl_verify on;');
    expect(haproxyConfiguration(80, upstream)).toContain('verify required ca-file /c/bench.crt');
    expect(JSON.parse(sluiceConfiguration(upstream))).toHaveProperty(
      'platforms.platform-0.ca',
      '/c/bench.crt',
    );
  });

  it('find packages in the folders above too, and miss what is nowhere', () => {
    expect(installedVersion('http-proxy', BENCH_FOLDER)).toMatch(/^\d+\.\d+\.\d+$/);
    expect(installedVersion('no-such-package-anywhere', BENCH_FOLDER)).toBeUndefined();
  });
});
