import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_GATEWAY } from '../../src/core/settings.ts';
import {
  combinedLine,
  droppedCombinedLine,
  droppedJsonLine,
  jsonLine,
} from '../../src/gateway/access-line.ts';
import { firstField } from '../../src/gateway/outage-answers.ts';
import { Reception } from '../../src/gateway/reception.ts';
import { redactQuery } from '../../src/gateway/redact-query.ts';
import type { RequestRecord } from '../../src/gateway/request-record.ts';
import { FLAG, FLAG_NAMES, flagsText, RESPONSE_FLAGS } from '../../src/gateway/response-flags.ts';
import type { RequestHead } from '../../src/gateway/wire.ts';
import { seededRandom } from '../../src/lib/random.ts';

const NOW = Date.UTC(2026, 9, 5, 13, 55, 36, 7);

function record(change: Partial<RequestHead> = {}, headers: readonly string[] = []): RequestRecord {
  const head: RequestHead = {
    method: 'GET',
    target: '/a?b=c',
    host: 'shop.example',
    bodyLength: 0,
    upgrade: undefined,
    headers,
    peer: { address: '192.0.2.7', trusted: false, encrypted: false, localPort: 80, identity: undefined },
    field: (name) => firstField(headers, name),
    ...change,
  };
  const made = new Reception(DEFAULT_GATEWAY, seededRandom(3)).receive(head, 1_000);
  made.status = 200;
  made.sent = 512;
  made.headAt = 1_003.1234;
  made.endedAt = 1_004.5;
  return made;
}

/** What field values may hold: bytes read as Latin-1, without CR, LF and NUL; here even those. */
const anyBytes = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 60 })
  .map((bytes) => String.fromCharCode(...bytes));

describe('a JSON line', () => {
  it('says everything that is known', () => {
    const made = record({}, ['User-Agent', 'curl/8', 'Referer', 'https://a.test/?token=x']);
    made.attempted('cf/10.0.0.1:80', 1_000.5);
    made.left('connect', 1_001);
    made.attempted('ocp/10.0.0.2:80', 1_001);
    made.left('ok', 1_004.25);
    made.flags = FLAG.RP;
    expect(JSON.parse(jsonLine(made, NOW))).toEqual({
      time: '2026-10-05T13:55:36.002Z',
      client: '192.0.2.7',
      method: 'GET',
      host: 'shop.example',
      path: '/a?b=c',
      protocol: 'HTTP/1.1',
      status: 200,
      bytes: 512,
      received: 0,
      durationMs: 4.5,
      ttfbMs: 3.12,
      origin: 'ocp/10.0.0.2:80',
      attempts: [
        { origin: 'cf/10.0.0.1:80', outcome: 'connect', ms: 0.5 },
        { origin: 'ocp/10.0.0.2:80', outcome: 'ok', ms: 3.25 },
      ],
      flags: 'RP',
      requestId: made.marks.requestId,
      traceId: made.marks.traceparent.split('-')[1],
      userAgent: 'curl/8',
      referer: 'https://a.test/?token=***',
    });
  });

  it('is one line that parses back, whatever strangers send', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, anyBytes, anyBytes, (target, host, agent, referer) => {
        const made = record({ target, host }, ['user-agent', agent, 'referer', referer]);
        const line = jsonLine(made, NOW);
        expect(line).toMatch(/^[ -~]+\n$/);
        const read = JSON.parse(line);
        expect(read.host).toBe(host);
        expect(read.userAgent).toBe(agent);
        expect(read.path).toBe(redactQuery(target));
      }),
    );
  });

  it('is of bounded length', () => {
    const long = '"'.repeat(100_000);
    const line = jsonLine(record({ target: `/${long}` }, ['user-agent', long, 'referer', long]), NOW);
    expect(line.length).toBeLessThan(20_000);
    expect(JSON.parse(line).userAgent).toHaveLength(1_024);
  });

  it('takes the place of lines that were dropped', () => {
    expect(JSON.parse(droppedJsonLine(7, NOW))).toEqual({ time: '2026-10-05T13:55:36.007Z', dropped: 7 });
  });
});

describe('a combined line', () => {
  const COMBINED =
    /^(\S+) - - \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d+) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"\n$/;

  it('reads as Apache writes it', () => {
    const made = record({}, ['user-agent', 'curl/8', 'referer', 'https://a.test/']);
    expect(combinedLine(made, NOW)).toBe(
      '192.0.2.7 - - [05/Oct/2026:13:55:36 +0000] "GET /a?b=c HTTP/1.1" 200 512 "https://a.test/" "curl/8"\n',
    );
    expect(combinedLine(record(), NOW)).toContain('"-" "-"\n');
    expect(droppedCombinedLine(3, NOW)).toMatch(COMBINED);
  });

  it('keeps its shape, whatever strangers send', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (target, agent) => {
        const line = combinedLine(record({ target }, ['user-agent', agent]), NOW);
        expect(line).toMatch(COMBINED);
        expect(line).toMatch(/^[ -~]+\n$/);
      }),
    );
  });
});

describe('queries in logs', () => {
  it.each([
    ['/a?token=1&b=2', '/a?token=***&b=2'],
    ['/a?b=2&ACCESS_TOKEN=1', '/a?b=2&ACCESS_TOKEN=***'],
    ['/cb?code=1&state=2', '/cb?code=***&state=2'],
    ['/a?X-Amz-Signature=ab&X-Amz-Credential=c', '/a?X-Amz-Signature=***&X-Amz-Credential=***'],
    ['/a?to%6ben=1', '/a?to%6ben=***'],
    ['/a?%zz=1', '/a?%zz=***'],
    ['/a?api_key=1&password=2&apikey=3', '/a?api_key=***&password=***&apikey=***'],
    ['/a?postcode=1&monkey=2&q=token', '/a?postcode=1&monkey=2&q=token'],
    ['/a?token', '/a?token'],
    ['/token=1', '/token=1'],
  ])('%s is shown as %s', (target, shown) => {
    expect(redactQuery(target)).toBe(shown);
  });

  it('lose the values of secret keys and nothing else, whatever they are made of', () => {
    const part = fc.constantFrom(
      'token',
      'key',
      'page',
      'a_rather_long_token',
      '=',
      '==',
      '1',
      '&',
      '&&',
      '?',
      '',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const query = parts.join('');
        const expected = query
          .split('&')
          .map((one) =>
            one.replace(/^([^=]*)=(.+)$/, (all, key) => (/token|^key$/.test(key) ? `${key}=***` : all)),
          );
        expect(redactQuery(`/a?${query}`)).toBe(`/a?${expected.join('&')}`);
      }),
    );
  });

  it('take as long as they are, however many parts a stranger makes of them', () => {
    for (const many of ['&', 'a&', 'a=1&', '=&']) {
      const target = `/?${many.repeat(200_000)}`;
      const begun = performance.now();
      expect(redactQuery(target)).toBe(target);
      // Looked at from each part to the end it would be many seconds.
      expect(performance.now() - begun).toBeLessThan(1_000);
    }
  });
});

describe('response flags', () => {
  it('are all explained to operators', () => {
    const text = readFileSync(resolve(import.meta.dirname, '../../docs/operating.md'), 'utf8');
    for (const [flag, meaning] of Object.entries(RESPONSE_FLAGS)) {
      expect(text).toContain(`| \`${flag}\` | ${meaning} |`);
    }
  });

  it('are bits of their own, named in the order of the table', () => {
    const all = FLAG_NAMES.reduce((sum, name) => sum | FLAG[name], 0);
    expect(flagsText(all).split(',')).toEqual(FLAG_NAMES);
    expect(new Set(FLAG_NAMES.map((name) => FLAG[name])).size).toBe(FLAG_NAMES.length);
    expect(flagsText(FLAG.RP | FLAG.UF)).toBe('UF,RP');
    expect(flagsText(0)).toBe('');
  });
});
