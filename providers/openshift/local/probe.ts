import { request } from 'node:http';
import { connect } from 'node:net';
import type { Probe } from './pod-types.ts';

/** One readiness or liveness check against the container's real port; undefined means it passed. */
export function probeOnce(probe: Probe, port: number): Promise<string | undefined> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1_000;
  if (probe.httpGet) return httpProbe(probe.httpGet.path ?? '/', port, timeoutMs);
  if (probe.tcpSocket) return tcpProbe(port, timeoutMs);
  // exec and grpc probes need a container to run in; here they always pass.
  return Promise.resolve(undefined);
}

function httpProbe(path: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        timeout: timeoutMs,
        headers: { 'user-agent': 'kube-probe/1.32', accept: '*/*' },
      },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('context deadline exceeded')));
    outgoing.on('error', (error) => resolve(`Get "http://127.0.0.1:${port}${path}": ${error.message}`));
    outgoing.end();
  });
}

function tcpProbe(port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: timeoutMs });
    socket.on('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('timeout', () => socket.destroy(new Error('i/o timeout')));
    socket.on('error', (error) => resolve(`dial tcp: ${error.message}`));
  });
}
