import type { LoadOrder, LoadResult } from './load.ts';
import { REQUEST_HEADERS, REQUEST_PATH } from './request.ts';
import { percentile } from './statistics.ts';

/** h2load (of nghttp2) with the cipher that every other connection here agrees on; it would prefer a cheaper one. */
export function h2loadArguments({ url, work, seconds }: LoadOrder, log: string): readonly string[] {
  if (work.traffic.kind !== 'closed') throw new Error(`h2load cannot do ${work.traffic.kind} traffic`);
  const { connections, streams } = work.traffic;
  return [
    ...['--threads=1', `--clients=${connections}`, `--max-concurrent-streams=${streams}`],
    ...[`--duration=${seconds}`, '--warm-up-time=0', `--log-file=${log}`],
    '--tls13-ciphers=TLS_AES_256_GCM_SHA384',
    ...REQUEST_HEADERS.map(([name, value]) => `--header=${name.toLowerCase()}: ${value}`),
    url + REQUEST_PATH,
  ];
}

/** `log` has a line for each request: start, status and microseconds, with tabs between. */
export function readH2load(printed: string, log: string, { work }: Pick<LoadOrder, 'work'>): LoadResult {
  const counted = /^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m.exec(printed);
  const seconds = /^finished in ([\d.]+)(m?s),/m.exec(printed);
  const dataBytes = /^traffic: .*\((\d+)\) data$/m.exec(printed)?.[1];
  if (counted === null || seconds === null) {
    throw new Error(`h2load printed no result: ${printed.slice(-200)}`);
  }
  const [requests = 0, ...bad] = counted.slice(1).map(Number);
  const errors = ['failed', 'errored', 'timeout'].flatMap((kind, index) =>
    bad[index] === 0 ? [] : [`${kind} (${bad[index]} ×)`],
  );
  if (!/^Application protocol: h2$/m.test(printed)) errors.push('the proxy did not agree on HTTP/2');
  // h2load does not look at bodies; answers that are too short on the whole show here.
  if (Number(dataBytes) < requests * work.bodyBytes) {
    errors.push(`${dataBytes} bytes for ${requests} answers of ${work.bodyBytes}`);
  }
  const statuses = new Map<string, number>();
  const latencies: number[] = [];
  for (const line of log.split('\n')) {
    const [, status, micros] = line.split('\t');
    if (status === undefined || micros === undefined) continue;
    latencies.push(Number(micros));
    if (status !== '200') statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  for (const [status, count] of statuses) errors.push(`status ${status} (${count} ×)`);
  latencies.sort((a, b) => a - b);
  return {
    requests,
    seconds: Number(seconds[1]) / (seconds[2] === 'ms' ? 1000 : 1),
    p50Micros: percentile(latencies, 0.5),
    p99Micros: percentile(latencies, 0.99),
    errors,
  };
}
