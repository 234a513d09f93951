import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadOrder, LoadResult } from './load.ts';
import { REQUEST_HEADERS, REQUEST_PATH } from './request.ts';

/** wrk's own report is for people; its script may print another, in microseconds. */
const SCRIPT = `done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"micros":%d,"bytes":%d,"p50":%.1f,"p99":%.1f,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.status, e.timeout))
end
`;

const ERROR_KINDS = ['connect', 'read', 'write', 'status', 'timeout'] as const;

type Printed = Record<(typeof ERROR_KINDS)[number] | 'requests' | 'micros' | 'bytes' | 'p50' | 'p99', number>;

export async function wrkArguments({ url, work, seconds, folder }: LoadOrder): Promise<readonly string[]> {
  const script = join(folder, 'report.lua');
  await writeFile(script, SCRIPT);
  return [
    ...['--threads', '1', '--connections', String(work.traffic.connections), '--duration', `${seconds}s`],
    ...['--timeout', '5s', '--script', script],
    ...REQUEST_HEADERS.flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    url + REQUEST_PATH,
  ];
}

export function readWrk(text: string, bodyBytes: number): LoadResult {
  const line = /^RESULT (.+)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result: ${text.slice(0, 200)}`);
  const printed = JSON.parse(line) as Printed;
  const errors = ERROR_KINDS.filter((kind) => printed[kind] > 0).map(
    (kind) => `${kind} (${printed[kind]} ×)`,
  );
  // wrk does not look at bodies; answers that are too short on the whole show here.
  if (printed.bytes < printed.requests * bodyBytes) {
    errors.push(`${printed.bytes} bytes for ${printed.requests} answers of ${bodyBytes}`);
  }
  return {
    requests: printed.requests,
    seconds: printed.micros / 1e6,
    p50Micros: printed.p50,
    p99Micros: printed.p99,
    errors,
  };
}
