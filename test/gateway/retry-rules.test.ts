import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { plainHead } from '../../src/gateway/outage-answers.ts';
import { isReplayable, remedyFor } from '../../src/gateway/retry-rules.ts';
import type { RequestHead } from '../../src/gateway/wire.ts';

function head(method: string, headers: readonly string[] = [], upgrade?: string): RequestHead {
  return {
    method,
    target: '/',
    host: 'x',
    bodyLength: 0,
    upgrade,
    headers,
    peer: { address: '127.0.0.1', trusted: false, encrypted: false, localPort: 80, identity: undefined },
    field: plainHead(0, '', headers).field,
  };
}

describe('the rules of replay', () => {
  it('replays safe methods always and others only by leave of the route', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(isReplayable(head(method), false)).toBe(true);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE', 'get']) {
      expect(isReplayable(head(method), false)).toBe(false);
    }
    for (const method of ['PUT', 'DELETE']) expect(isReplayable(head(method), true)).toBe(true);
    expect(isReplayable(head('POST'), true)).toBe(false);
    expect(isReplayable(head('POST', ['Idempotency-Key', '1']), true)).toBe(true);
    expect(isReplayable(head('POST', ['Idempotency-Key', '1']), false)).toBe(false);
    expect(isReplayable(head('GET', [], 'websocket'), false)).toBe(false);
  });

  it('never sends again what may have been executed and may not be repeated, nor half a body', () => {
    fc.assert(
      fc.property(
        fc.record({
          replayable: fc.boolean(),
          bodyWhole: fc.boolean(),
          delivered: fc.boolean(),
          stale: fc.boolean(),
          freshTried: fc.boolean(),
        }),
        (failed) => {
          const remedy = remedyFor(failed);
          if (!failed.bodyWhole || (failed.delivered && !failed.replayable)) expect(remedy).toBe('none');
          else expect(remedy).not.toBe('none');
          if (remedy === 'same-fresh') expect([failed.stale, failed.freshTried]).toEqual([true, false]);
        },
      ),
    );
  });
});
