import { describe, expect, it } from '@jest/globals';
import { RequestReader } from './request-reader.ts';

const GET = 'GET /a HTTP/1.1\r\nhost: x\r\n\r\n';
const POST = 'POST /orders/1 HTTP/1.1\r\nhost: x\r\nContent-Length: 3\r\n\r\nabc';

describe('the reader of requests', () => {
  it('gives a request once it is whole, with its body', () => {
    const reader = new RequestReader();
    for (const byte of POST.slice(0, -1)) expect(reader.push(Buffer.from(byte))).toEqual([]);
    expect(reader.push(Buffer.from('c'))).toEqual([{ method: 'POST', target: '/orders/1', closes: false }]);
  });

  it('gives several that came at once, in order', () => {
    const came = new RequestReader().push(Buffer.from(`${GET}${POST}${GET}`));
    expect(came.map(({ target }) => target)).toEqual(['/a', '/orders/1', '/a']);
  });

  it('sees who wants the connection closed', () => {
    const closes = (text: string): unknown => new RequestReader().push(Buffer.from(text))[0]?.closes;
    expect(closes('GET / HTTP/1.0\r\n\r\n')).toBe(true);
    expect(closes('HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n')).toBe(true);
    expect(closes(GET)).toBe(false);
  });

  it('refuses what it could not follow', () => {
    const chunked = 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(() => new RequestReader().push(Buffer.from(chunked))).toThrow('chunked');
  });
});
