/** A head and whether it is refused, or how it is understood. */
export type ResponseVector = readonly [what: string, head: string, expected: 'refused' | Understood];

export interface Understood {
  readonly status?: number;
  readonly reason?: string;
  /** -1: chunks; -2: until the connection closes. */
  readonly bodyLength?: number;
  readonly keepAlive?: boolean;
}

function withLine(line: string): string {
  return `${line}\r\nContent-Length: 0\r\n\r\n`;
}

function withFields(...lines: string[]): string {
  return `HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\n\r\n`;
}

export const STATUS_LINES: readonly ResponseVector[] = [
  ['200 OK', withLine('HTTP/1.1 200 OK'), { status: 200, reason: 'OK', bodyLength: 0, keepAlive: true }],
  ['an empty reason', withLine('HTTP/1.1 200 '), { reason: '' }],
  ['no reason', withLine('HTTP/1.1 200'), { reason: '' }],
  ['a reason of several words', withLine('HTTP/1.1 404 Not Found'), { status: 404, reason: 'Not Found' }],
  ['an 8-bit reason', withLine('HTTP/1.1 200 \xe4'), { reason: '\xe4' }],
  ['HTTP/1.0', withLine('HTTP/1.0 200 OK'), { keepAlive: false }],
  ['an unknown status', withLine('HTTP/1.1 299 Fine'), { status: 299 }],
  ['no status line', 'hello\r\n\r\n', 'refused'],
  ['HTTP/2.0', withLine('HTTP/2.0 200 OK'), 'refused'],
  ['HTTP/1.2', withLine('HTTP/1.2 200 OK'), 'refused'],
  ['a version in lower case', withLine('http/1.1 200 OK'), 'refused'],
  ['ICY', withLine('ICY 200 OK'), 'refused'],
  ['a status of two digits', withLine('HTTP/1.1 20 OK'), 'refused'],
  ['a status of four digits', withLine('HTTP/1.1 2000 OK'), 'refused'],
  ['a status of letters', withLine('HTTP/1.1 2OO OK'), 'refused'],
  ['a status below 100', withLine('HTTP/1.1 099 OK'), 'refused'],
  ['a status above 599', withLine('HTTP/1.1 600 OK'), 'refused'],
  ['two spaces', withLine('HTTP/1.1  200 OK'), 'refused'],
  ['a tab', withLine('HTTP/1.1\t200 OK'), 'refused'],
  ['a NUL in the reason', withLine('HTTP/1.1 200 O\0K'), 'refused'],
  ['a bare CR in the reason', withLine('HTTP/1.1 200 O\rK'), 'refused'],
  ['a bare LF behind the line', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n', 'refused'],
  ['an empty line before it', `\r\n${withLine('HTTP/1.1 200 OK')}`, 'refused'],
  ['HTTP/1.10', withLine('HTTP/1.10 200 OK'), 'refused'],
  ['HTTP/0.9', withLine('HTTP/0.9 200 OK'), 'refused'],
  ['a negative status', withLine('HTTP/1.1 -20 OK'), 'refused'],
  ['a status in hex', withLine('HTTP/1.1 0xc OK'), 'refused'],
  ['no space behind the status', withLine('HTTP/1.1 200OK'), 'refused'],
  ['a tab behind the status', withLine('HTTP/1.1 200\tOK'), 'refused'],
  ['a DEL in the reason', withLine('HTTP/1.1 200 O\x7fK'), 'refused'],
  ['CR CR LF behind the line', 'HTTP/1.1 200 OK\r\r\nContent-Length: 0\r\n\r\n', 'refused'],
  ['a space before it', withLine(' HTTP/1.1 200 OK'), 'refused'],
  ['a TLS alert', '\x15\x03\x01\0\x02\x02\x0a', 'refused'],
  ['another protocol of which no line ends', 'SSH-2.0', 'refused'],
  ['a request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'refused'],
];

export const RESPONSE_FRAMINGS: readonly ResponseVector[] = [
  ['a length', withFields('Content-Length: 7'), { bodyLength: 7 }],
  ['chunks', withFields('Transfer-Encoding: chunked'), { bodyLength: -1, keepAlive: true }],
  ['neither', withFields('X: 1'), { bodyLength: -2, keepAlive: false }],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', { bodyLength: 0, keepAlive: true }],
  ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n', { bodyLength: 0 }],
  ['100', 'HTTP/1.1 100 Continue\r\n\r\n', { bodyLength: 0 }],
  ['close', withFields('Content-Length: 7', 'Connection: close'), { keepAlive: false }],
  ['close among others', withFields('Content-Length: 7', 'Connection: x, close'), { keepAlive: false }],
  [
    'keep-alive in HTTP/1.0',
    'HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n',
    { keepAlive: true },
  ],
  ['two lengths', withFields('Content-Length: 1', 'Content-Length: 2'), 'refused'],
  ['the same length twice', withFields('Content-Length: 1', 'Content-Length: 1'), 'refused'],
  ['a list of lengths', withFields('Content-Length: 1, 1'), 'refused'],
  ['a sign', withFields('Content-Length: +1'), 'refused'],
  ['hex', withFields('Content-Length: 0x1'), 'refused'],
  ['an empty length', withFields('Content-Length:'), 'refused'],
  ['a length beyond 2^64', withFields('Content-Length: 18446744073709551617'), 'refused'],
  ['length and chunks', withFields('Content-Length: 3', 'Transfer-Encoding: chunked'), 'refused'],
  ['chunks twice', withFields('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 'refused'],
  ['chunks twice in one field', withFields('Transfer-Encoding: chunked, chunked'), 'refused'],
  ['chunks in gzip', withFields('Transfer-Encoding: chunked, gzip'), 'refused'],
  ['an empty coding', withFields('Transfer-Encoding:'), 'refused'],
  ['a parameter', withFields('Transfer-Encoding: chunked;q=1'), 'refused'],
  ['a tab behind the coding', withFields('Transfer-Encoding: chunked\t'), 'refused'],
  ['a vertical tab before the coding', withFields('Transfer-Encoding: \x0bchunked'), 'refused'],
  ['a minus', withFields('Content-Length: -1'), 'refused'],
  ['a fraction', withFields('Content-Length: 1.0'), 'refused'],
  ['a space inside', withFields('Content-Length: 1 0'), 'refused'],
  ['a length that is a word', withFields('Content-Length: ten'), 'refused'],
  [
    'chunks and a length of nothing',
    withFields('Transfer-Encoding: chunked', 'Content-Length: 0'),
    'refused',
  ],
  [
    'length and chunks on a 204',
    'HTTP/1.1 204 No\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'refused',
  ],
  ['gzip in chunks', withFields('Transfer-Encoding: gzip, chunked'), 'refused'],
  ['identity', withFields('Transfer-Encoding: identity'), 'refused'],
  ['a disguise', withFields('Transfer-Encoding: xchunked'), 'refused'],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'refused'],
  ['a bad length on a 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n', 'refused'],
];

export const RESPONSE_FIELDS: readonly ResponseVector[] = [
  ['cookies', withFields('Set-Cookie: a=1', 'Set-Cookie: b=2', 'Content-Length: 0'), {}],
  ['a NUL', withFields('X: a\0b'), 'refused'],
  ['a control character', withFields('X: a\x02b'), 'refused'],
  ['a bare CR', withFields('X: a\rSet-Cookie: evil=1'), 'refused'],
  ['a bare LF', withFields('X: a\nSet-Cookie: evil=1'), 'refused'],
  ['a folded field', withFields('X: a', ' b'), 'refused'],
  ['a space before the colon', withFields('X : a'), 'refused'],
  ['an empty name', withFields(': a'), 'refused'],
  ['an 8-bit name', withFields('X\xe4: a'), 'refused'],
  ['no colon', withFields('Xa'), 'refused'],
  ['a tab before the colon', withFields('X\t: a'), 'refused'],
  ['a DEL', withFields('X: a\x7fb'), 'refused'],
  ['a separator in a name', withFields('X(y): a'), 'refused'],
  ['a space before the first field', 'HTTP/1.1 200 OK\r\n X: a\r\n\r\n', 'refused'],
  ['a field folded with a tab', withFields('X: a', '\tb'), 'refused'],
  ['a bare LF for the empty line', 'HTTP/1.1 200 OK\r\nX: a\r\n\n', 'refused'],
  ['a NUL in a name', withFields('X\0: a'), 'refused'],
  ['too many', withFields(...Array<string>(201).fill('X: 1')), 'refused'],
  ['a head over the limit', withFields(`X: ${'x'.repeat(20_000)}`), 'refused'],
];
