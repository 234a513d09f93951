import { rootCertificates } from 'node:tls';
import { Agent, request } from 'undici';
import type { DrainPlace, LogDrainSettings } from '../core/log-drain.ts';
import { otlpPayload } from './otlp-payload.ts';
import type { Sender } from './sender.ts';

const TIMEOUT_MS = 10_000;
/** What OTLP/HTTP says may be tried again. */
const LATER: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export function otlpSender(
  { url }: Extract<DrainPlace, { kind: 'otlp' }>,
  { headers = {}, ca }: Pick<LogDrainSettings, 'headers' | 'ca'>,
): Sender {
  const agent = new Agent({
    connect: { timeout: 5_000, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) },
  });
  return {
    async send(entries, signal) {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: agent,
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(otlpPayload(entries)),
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
        signal,
      });
      const text = await answer.body.text();
      if (answer.statusCode < 300) return { refused: rejectedIn(text) };
      if (LATER.has(answer.statusCode)) throw new Error(`it answers ${answer.statusCode}`);
      // The same batch would be refused again.
      return { refused: entries.length };
    },
    close: () => agent.destroy(),
  };
}

/** `partialSuccess` of an answer that took the rest. */
function rejectedIn(text: string): number {
  try {
    const answer = JSON.parse(text) as { partialSuccess?: { rejectedLogRecords?: string | number } } | null;
    return Number(answer?.partialSuccess?.rejectedLogRecords ?? 0) || 0;
  } catch {
    return 0;
  }
}
