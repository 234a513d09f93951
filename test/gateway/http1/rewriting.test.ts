import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_GATEWAY } from '../../../src/core/settings.ts';
import { AddressRanges } from '../../../src/gateway/client-address.ts';
import { editRequest, editResponse, NO_RESPONSE_EDIT } from '../../../src/gateway/headers.ts';
import { ClientPeer } from '../../../src/gateway/http1/client-peer.ts';
import { Http1RequestHead, Http1ResponseHead } from '../../../src/gateway/http1/message-head.ts';
import { Outlet } from '../../../src/gateway/http1/outlet.ts';
import { RequestHeadReader } from '../../../src/gateway/http1/request-head.ts';
import { writeRequestHead } from '../../../src/gateway/http1/request-writer.ts';
import { ResponseHeadReader } from '../../../src/gateway/http1/response-head.ts';
import { writeResponseHead } from '../../../src/gateway/http1/response-writer.ts';
import { WireContext } from '../../../src/gateway/http1/wire-context.ts';
import { Reception } from '../../../src/gateway/reception.ts';
import { RequestIds } from '../../../src/gateway/request-ids.ts';
import { GivenMarks } from '../../../src/gateway/request-marks.ts';
import { roleOf } from '../../../src/gateway/writes.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';

/** Every name that stands in `headers.ts`, so that one added there and forgotten here is found. */
const NAMES_IN_HEADERS = [
  ...readFileSync(resolve(import.meta.dirname, '../../../src/gateway/headers.ts'), 'utf8').matchAll(
    /'([a-z0-9]+(?:-[a-z0-9]+)*)'/g,
  ),
].map((match) => match[1]!);

const name = fc
  .oneof(
    fc.constantFrom(...NAMES_IN_HEADERS),
    fc.constantFrom(
      'x-mine',
      'accept',
      'x_y',
      'date',
      'set-cookie',
      'refresh',
      'x-sluice-hop',
      'x-cf-any-instance',
    ),
    fc.constantFrom('x-cf-instance', 'x-cf--instance', 'x-sluice', 'xxcf-a-instance'),
  )
  .chain((text) => fc.constantFrom(text, text.toUpperCase(), text.replaceAll('-', '_')));
const VCAP = '__VCAP_ID__=1234; Path=/; HttpOnly';
const ROUTER = `${'0a'.repeat(16)}=${'1b'.repeat(16)}; path=/; HttpOnly`;
const value = fc.constantFrom(
  ...['', '1', 'a, b', 'trailers', 'gzip;q=1, trailers', '1.1 other', '\xe4', VCAP, ROUTER],
  ...['a=1; sluice.cf.__VCAP_ID__=9; b=2', 'sluice.ocp.x=1', '__VCAP_ID__=2', 'for=6.6.6.6;proto=https'],
  ...['192.0.2.1, 192.0.2.2', `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`],
);
const connection = fc.constantFrom('keep-alive', 'close', 'x-mine', 'accept, close', 'x_y');
const fields = fc.array(
  fc.oneof(fc.tuple(name, value), fc.tuple(fc.constantFrom('Connection', 'connection'), connection)),
  { maxLength: 12 },
);

/** A request that says nothing. */
const NOBODY = {
  method: 'GET',
  target: '/',
  host: '',
  bodyLength: 0,
  upgrade: undefined,
  headers: [],
  field: () => undefined,
};

function context(): { outlet: Outlet; written: () => string } {
  const shared = new WireContext(DEFAULT_GATEWAY, virtualClock(), false);
  const socket = new Socket();
  // Nothing is to be sent anywhere: what is put together is looked at where it is.
  socket.destroy();
  return {
    outlet: new Outlet(socket, shared, () => undefined),
    written: () => shared.staging.bytes.toString('latin1', 0, shared.staging.at),
  };
}

/** Name and value of each line, in lexical order: the order of different fields means nothing. */
function lines(head: string): string[] {
  const all = head.split('\r\n').slice(1, -2);
  return all
    .map(
      (line) =>
        `${line.slice(0, line.indexOf(':')).toLowerCase()}:${line.slice(line.indexOf(':') + 1).trim()}`,
    )
    .sort();
}

function pairs(headers: readonly string[]): string[] {
  const all: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) all.push(`${headers[i]!.toLowerCase()}:${headers[i + 1]}`);
  return all;
}

describe('heads rewritten in bytes', () => {
  it('say of a request what editRequest says', () => {
    fc.assert(
      fc.property(fields, fc.boolean(), fc.constantFrom(undefined, 'other.test'), (all, trusted, host) => {
        const text = all.map(([key, content]) => `${key}: ${content}\r\n`).join('');
        const bytes = Buffer.from(`GET /a HTTP/1.1\r\nHost: a.test\r\n${text}\r\n`, 'latin1');
        const reader = new RequestHeadReader(DEFAULT_GATEWAY.limits);
        reader.begin(0);
        reader.read(bytes, bytes.length);
        fc.pre(reader.state === 'complete');
        const peer = new ClientPeer(new Socket(), new AddressRanges([]));
        const head = new Http1RequestHead(reader, trusted ? { ...peer, trusted } : peer);
        const { outlet, written } = context();
        const role = roleOf(trusted ? { kind: 'single', writer: 'cf', epoch: 12 } : undefined, 'cf');
        const edit = { host, platform: 'cf', role };
        const stamp = new Reception(DEFAULT_GATEWAY, seededRandom(1)).receive(head, 0);
        expect(writeRequestHead(outlet, head, edit, stamp)).toBe(true);
        const expected = [...pairs(editRequest(head, edit, stamp)), `host:${host ?? 'a.test'}`];
        if (reader.bodyLength > 0) expected.push(`content-length:${reader.bodyLength}`);
        if (reader.bodyLength < 0) expected.push('transfer-encoding:chunked');
        if (head.upgrade !== undefined) expected.push('connection:Upgrade', 'upgrade:websocket');
        expect(written()).toMatch(/^GET \/a HTTP\/1\.1\r\n/);
        expect(lines(written())).toEqual(expected.sort());
      }),
      { numRuns: 600 },
    );
  });

  it('say of an answer what editResponse says', () => {
    const fresh = new RequestIds(seededRandom(2), '1.1 sluice-1').marks({
      ...NOBODY,
      peer: new ClientPeer(new Socket(), new AddressRanges([])),
    });
    const ours = { ...NO_RESPONSE_EDIT, platform: 'cf', marks: fresh };
    const edits = fc.constantFrom(
      NO_RESPONSE_EDIT,
      ours,
      { ...ours, marks: new GivenMarks('1.1 sluice-2', 'r1', fresh.traceparent, true) },
      { ...ours, setCookie: 'sluice.affinity=1; HttpOnly' },
      { ...ours, from: 'in.test', to: 'out.test', scheme: 'https' },
    );
    fc.assert(
      fc.property(fields, edits, (all, edit) => {
        const text = all.map(([key, content]) => `${key}: ${content}\r\n`).join('');
        const location = 'Location: https://in.test/next\r\n';
        const bytes = Buffer.from(`HTTP/1.1 302 Found\r\n${location}${text}\r\n`, 'latin1');
        const reader = new ResponseHeadReader(DEFAULT_GATEWAY.limits);
        reader.begin(0);
        reader.read(bytes, bytes.length);
        fc.pre(reader.state === 'complete');
        const head = new Http1ResponseHead(reader);
        const { outlet, written } = context();
        const framing = 'connection: close\r\n';
        expect(writeResponseHead(outlet, head, edit, { lines: framing, date: undefined })).toBe(true);
        expect(written()).toMatch(/^HTTP\/1\.1 302 Found\r\n/);
        expect(lines(written())).toEqual([...pairs(editResponse(head, edit)), 'connection:close'].sort());
      }),
      { numRuns: 600 },
    );
  });

  it('refuse a head of another wire that would split the message', () => {
    const plain = (headers: readonly string[]) => ({
      status: 200,
      reason: 'OK',
      headers,
      isEventStream: false,
      field: () => undefined,
    });
    for (const headers of [
      ['x', 'a\r\nb: c'],
      ['x\r\ny', 'a'],
      ['x y', 'a'],
      ['', 'a'],
      ['x', 'a\0'],
    ]) {
      const { outlet, written } = context();
      const options = { lines: '', date: undefined };
      expect(writeResponseHead(outlet, plain(headers), NO_RESPONSE_EDIT, options)).toBe(false);
      expect(written()).toBe('');
    }
  });
});
