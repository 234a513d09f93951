import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { HeaderDecoder } from '../../../src/gateway/http2/header-decoder.ts';
import { HeaderEncoder } from '../../../src/gateway/http2/header-encoder.ts';
import { seededRandom } from '../../../src/lib/random.ts';
import { Recorder } from './recorder.ts';

const LIMIT = 65_536;

function decode(decoder: HeaderDecoder, hex: string): readonly string[] | 'broken' {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return decoder.decode(bytes, 0, bytes.length) ? decoder.raw : 'broken';
}

describe('the decoder', () => {
  // RFC 7541 appendix C.3: one connection, three requests.
  it('reads the requests of RFC 7541 as they are', () => {
    const decoder = new HeaderDecoder(LIMIT);
    const first = '828684410f7777772e6578616d706c652e636f6d';
    const base = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];
    expect(decode(decoder, first)).toEqual(base);
    expect(decode(decoder, '828684be58086e6f2d6361636865')).toEqual([...base, 'cache-control', 'no-cache']);
    expect(decode(decoder, '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565')).toEqual([
      ...[':method', 'GET', ':scheme', 'https', ':path', '/index.html', ':authority', 'www.example.com'],
      ...['custom-key', 'custom-value'],
    ]);
  });

  // Appendix C.4: the same with Huffman's code.
  it('reads them in the code of Huffman', () => {
    const decoder = new HeaderDecoder(LIMIT);
    expect(decode(decoder, '828684418cf1e3c2e5f23a6ba0ab90f4ff')).toContain('www.example.com');
    expect(decode(decoder, '828684be5886a8eb10649cbf')).toContain('no-cache');
    expect(decode(decoder, '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf')).toContain('custom-value');
  });

  // Appendix C.6: a table of 256 bytes, so that entries are evicted.
  it('evicts what does not fit', () => {
    const decoder = new HeaderDecoder(LIMIT);
    const answers = [
      '3fe101 488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
      '4883640effc1c0bf',
    ];
    expect(decode(decoder, answers[0]!)).toEqual([
      ...[':status', '302', 'cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
      ...['location', 'https://www.example.com'],
    ]);
    expect(decode(decoder, answers[1]!)).toEqual([
      ...[':status', '307', 'cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
      ...['location', 'https://www.example.com'],
    ]);
    // `:status 302` was evicted by the second: 65 was the oldest.
    expect(decode(decoder, 'c2')).toBe('broken');
  });

  it.each([
    ['index 0', '80'],
    ['an index beyond the table', 'be'],
    ['an index without end', 'ffffffffffffffffff'],
    ['an index too long to be one', 'ff8080808001'],
    ['a string beyond the block', '000561'],
    ['a length without end', '007fffffff'],
    ['nothing where a value should be', '000161'],
    ['padding of Huffman that is not all ones', '0081f0 0161'],
    ['padding of Huffman of eight bits', '00811f 82f8ff'],
    ['the end of a string within a string', '0084ffffffff 0161'],
    ['a change of the table after a field', '82 20'],
    ['a table larger than allowed', '3fe21f'],
  ])('refuses %s', (_what, hex) => {
    expect(decode(new HeaderDecoder(LIMIT), hex)).toBe('broken');
  });

  it('keeps within its limit what a few bytes blow up to, and stays in step', () => {
    const decoder = new HeaderDecoder(4_000);
    const big = Buffer.from('x'.repeat(2_000));
    const literal = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0xd1, 0x0e]), big]);
    const bomb = Buffer.concat([literal, Buffer.alloc(5_000, 0xbe)]);
    expect(decoder.decode(bomb, 0, bomb.length)).toBe(true);
    expect(decoder.isTooLarge).toBe(true);
    expect(decoder.raw.length).toBeLessThan(6);
    expect(decode(decoder, 'be')).toEqual(['a', 'x'.repeat(2_000)]);
    expect(decoder.isTooLarge).toBe(false);
  });

  it('neither hangs nor throws whatever comes', () => {
    const random = seededRandom(11);
    let read = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const decoder = new HeaderDecoder(LIMIT);
      const bytes = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 40) }, () => random() * 256));
      if (decoder.decode(bytes, 0, bytes.length)) read += 1;
    }
    expect(read).toBeGreaterThan(100);
  });
});

describe('encoder and decoder', () => {
  it('agree over many heads, also when the other side changes its table', () => {
    const random = seededRandom(3);
    const encoder = new HeaderEncoder();
    const decoder = new HeaderDecoder(LIMIT);
    const pick = (most: number): number => Math.floor(random() * most);
    let bytes = 0;
    let plain = 0;
    for (let round = 0; round < 3_000; round += 1) {
      if (pick(100) === 0) encoder.limitTable(pick(6_000));
      if (pick(100) === 0) encoder.limitTable(pick(2) * 4_096);
      const fields: string[] = [];
      for (let i = 0; i < 12; i += 1) {
        const name =
          pick(4) === 0 ? `x-${pick(40)}` : (['etag', 'date', 'server', 'via', 'vary'] as const)[pick(5)]!;
        fields.push(name, 'v'.repeat(pick(pick(50) === 0 ? 5_000 : 40)) + pick(3));
      }
      encoder.begin();
      encoder.status(200 + pick(5));
      for (let i = 0; i < fields.length; i += 2) encoder.field(fields[i]!, fields[i + 1]!);
      expect(decoder.decode(encoder.bytes, 0, encoder.length)).toBe(true);
      expect(decoder.raw.slice(2)).toEqual(fields);
      bytes += encoder.length;
      plain += fields.join('').length;
    }
    expect(bytes).toBeLessThan(plain);
  });
});

describe('what node:http2 sends', () => {
  it('is read as what was meant, request after request', async () => {
    const random = seededRandom(5);
    const recorder = new Recorder();
    const server = await recorder.listen();
    const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on('error', () => undefined);
    const alphabet = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
    const expected: string[][] = [];
    for (let round = 0; round < 60; round += 1) {
      const fields: Record<string, string> = { ':path': `/${round}`, 'user-agent': 'the same every time' };
      for (let i = 0; i < 10; i += 1) {
        const length = 1 + Math.floor(random() * 60);
        const value = Array.from({ length }, () => alphabet[Math.floor(random() * 95)])
          .join('')
          .trim();
        fields[`x-${i % 7}-${Math.floor(random() * 3)}`] = `a${value}`;
      }
      const stream = client.request(fields);
      stream.on('error', () => undefined);
      stream.end();
      expected.push(
        Object.entries(fields)
          .filter(([name]) => name !== ':path')
          .flat(),
      );
    }
    const heads = await recorder.heads(60);
    client.destroy();
    server.close();
    for (const [i, head] of heads.entries()) {
      const path = head[head.indexOf(':path') + 1];
      expect([path, ...withoutPseudo(head)]).toEqual([`/${i}`, ...expected[i]!]);
    }
  });
});

function withoutPseudo(head: readonly string[]): readonly string[] {
  return head.filter((_, i) => !head[i - (i % 2)]!.startsWith(':'));
}
