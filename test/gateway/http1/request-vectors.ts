/** A head and what becomes of it: the status it is refused with, or what was understood. */
export type RequestVector = readonly [what: string, head: string, expected: number | Understood];

export interface Understood {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly bodyLength?: number;
  readonly upgrade?: string;
  readonly keepAlive?: boolean;
}

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a.test\r\n';
const long = (length: number): string => 'x'.repeat(length);

function withField(line: string): string {
  return `${GET}${line}\r\n\r\n`;
}

function withLine(line: string): string {
  return `${line}\r\nHost: a.test\r\n\r\n`;
}

function withHost(value: string): string {
  return `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`;
}

function withBody(...lines: string[]): string {
  return `${POST}${lines.join('\r\n')}\r\n\r\n`;
}

export const REQUEST_LINES: readonly RequestVector[] = [
  ['an ordinary GET', withLine('GET /a/b?c=d HTTP/1.1'), { method: 'GET', target: '/a/b?c=d' }],
  ['empty lines before it', `\r\n\r\n${withLine('GET / HTTP/1.1')}`, { method: 'GET' }],
  [
    'every byte a target may have',
    withLine(`GET /!"$%&'()*+,-.:;<=>?@[\\]^_\`{|}~ HTTP/1.1`),
    { method: 'GET' },
  ],
  ['dots and escapes untouched', withLine('GET /a/../%2e%2F//b HTTP/1.1'), { target: '/a/../%2e%2F//b' }],
  ['OPTIONS *', withLine('OPTIONS * HTTP/1.1'), { target: '*' }],
  ['HTTP/1.0', withLine('GET / HTTP/1.0'), { keepAlive: false }],
  ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n', { host: '' }],
  [
    'an absolute target',
    withLine('GET http://b.test:81/p?q HTTP/1.1'),
    { host: 'b.test:81', target: '/p?q' },
  ],
  [
    'an absolute target without path',
    withLine('GET HTTP://b.test HTTP/1.1'),
    { host: 'b.test', target: '/' },
  ],
  ['an absolute target with only a query', withLine('GET http://b.test?q HTTP/1.1'), { target: '/?q' }],
  ['OPTIONS on an absolute target', withLine('OPTIONS http://b.test HTTP/1.1'), { target: '*' }],
  ['a bare LF behind the line', 'GET / HTTP/1.1\nHost: a.test\r\n\r\n', 400],
  ['a bare CR behind the line', 'GET / HTTP/1.1\rHost: a.test\r\n\r\n', 400],
  ['a bare LF before it', `\n${withLine('GET / HTTP/1.1')}`, 400],
  ['white space before it', withLine(' GET / HTTP/1.1'), 400],
  ['two spaces', withLine('GET  / HTTP/1.1'), 400],
  ['a tab for a space', withLine('GET\t/ HTTP/1.1'), 400],
  ['a space behind the version', withLine('GET / HTTP/1.1 '), 400],
  ['two targets', withLine('GET /a /b HTTP/1.1'), 400],
  ['no target', withLine('GET HTTP/1.1'), 400],
  ['no version', withLine('GET /'), 400],
  ['HTTP/0.9', withLine('GET / HTTP/0.9'), 505],
  ['HTTP/1.2', withLine('GET / HTTP/1.2'), 505],
  ['HTTP/2.0', withLine('GET / HTTP/2.0'), 505],
  ['HTTP/1.10', withLine('GET / HTTP/1.10'), 400],
  ['a version in lower case', withLine('GET / http/1.1'), 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n', 400],
  ['a TLS hello of which no line ends', '\x16\x03\x01\x02\0\x01\0', 400],
  ['a bare CR before it', '\rGET', 400],
  ['no method', withLine(' / HTTP/1.1'), 400],
  ['a method that is no token', withLine('GE(T / HTTP/1.1'), 400],
  ['a method nobody knows', withLine('BREW / HTTP/1.1'), 501],
  ['a method in lower case', withLine('get / HTTP/1.1'), 501],
  ['CONNECT', 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n', 405],
  ['a fragment', withLine('GET /#a HTTP/1.1'), 400],
  ['an 8-bit target', withLine('GET /\xe4 HTTP/1.1'), 400],
  ['a NUL in the target', withLine('GET /\0 HTTP/1.1'), 400],
  ['a DEL in the target', withLine('GET /\x7f HTTP/1.1'), 400],
  ['a target without slash', withLine('GET a HTTP/1.1'), 400],
  ['GET *', withLine('GET * HTTP/1.1'), 400],
  ['OPTIONS *x', withLine('OPTIONS *x HTTP/1.1'), 400],
  ['another scheme', withLine('GET ftp://b.test/ HTTP/1.1'), 400],
  ['a user in an absolute target', withLine('GET http://u@b.test/ HTTP/1.1'), 400],
  ['an absolute target without authority', withLine('GET http:///p HTTP/1.1'), 400],
  ['a target over the limit', withLine(`GET /${long(8_192)} HTTP/1.1`), 414],
];

export const HOSTS: readonly RequestVector[] = [
  ['a name with port', withHost('a.test:8080'), { host: 'a.test:8080' }],
  ['an IPv6 address', withHost('[::1]:80'), { host: '[::1]:80' }],
  ['white space around it', withHost('\t a.test \t'), { host: 'a.test' }],
  ['an underscore', withHost('a_b.test'), { host: 'a_b.test' }],
  ['none', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
  ['two in different case', 'GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n', 400],
  ['an empty one', withHost(''), 400],
  ['a user', withHost('u@a.test'), 400],
  ['a path', withHost('a.test/x'), 400],
  ['a query', withHost('a.test?x'), 400],
  ['a list', withHost('a.test, b.test'), 400],
  ['a space', withHost('a b'), 400],
  ['a port that is none', withHost('a.test:x'), 400],
  ['two ports', withHost('a.test:1:2'), 400],
  ['an empty port', withHost('a.test:'), 400],
  ['a port of six digits', withHost('a.test:123456'), 400],
  ['an IPv6 address without brackets', withHost('::1'), 400],
  ['an 8-bit name', withHost('\xe4.test'), 400],
  ['an escape', withHost('a%2etest'), 400],
  ['an absolute target beside a bad one', 'GET http://a.test/ HTTP/1.1\r\nHost: u@b\r\n\r\n', 400],
  ['an absolute target without one', 'GET http://a.test/ HTTP/1.1\r\n\r\n', 400],
];

export const FIELDS: readonly RequestVector[] = [
  ['an empty value', withField('X:'), {}],
  ['no space behind the colon', withField('X:1'), {}],
  ['every token character in a name', withField("!#$%&'*+-.^_`|~09azAZ: 1"), {}],
  ['obs-text', withField('X: \x80\xff'), {}],
  ['tabs in a value', withField('X: a\tb'), {}],
  ['colons in a value', withField('X: a:b:c'), {}],
  ['a hundred fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(99)}\r\n`, {}],
  ['a field too many', `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(100)}\r\n`, 431],
  ['a head over the limit', withField(`X: ${long(20_000)}`), 431],
  ['a head over the limit, and no end', `${GET}X: ${long(20_000)}`, 431],
  ['a space before the colon', withField('X : 1'), 400],
  ['a tab before the colon', withField('X\t: 1'), 400],
  ['an empty name', withField(': 1'), 400],
  ['no colon', withField('X'), 400],
  ['a folded field', withField('X: a\r\n b'), 400],
  ['a field folded with a tab', withField('X: a\r\n\tb'), 400],
  ['a space before the first field', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400],
  ['a bare CR in a value', withField('X: a\rb'), 400],
  ['a bare LF behind a value', withField('X: a\nY: b'), 400],
  ['a bare LF for the empty line', `${GET}\n`, 400],
  ['CR CR LF', `${GET}X: a\r\r\n\r\n`, 400],
  ['a CR and something else for the empty line', `${GET}\rX\r\n`, 400],
  ['a NUL in a value', withField('X: a\0b'), 400],
  ['a control character in a value', withField('X: a\x01b'), 400],
  ['a DEL in a value', withField('X: a\x7fb'), 400],
  ['an escape in a value', withField('X: a\x1b[0m'), 400],
  ['a NUL in a name', withField('X\0: 1'), 400],
  ['an 8-bit name', withField('X\xe4: 1'), 400],
  ['a separator in a name', withField('X(y): 1'), 400],
  ['a quoted name', withField('"X": 1'), 400],
  ['a slash in a name', withField('X/y: 1'), 400],
];

export const FRAMINGS: readonly RequestVector[] = [
  ['no body', withBody('X: 1'), { bodyLength: 0 }],
  ['a length', withBody('Content-Length: 12'), { bodyLength: 12 }],
  ['a length of nothing', withBody('Content-Length: 0'), { bodyLength: 0 }],
  ['leading zeros', withBody('Content-Length: 0012'), { bodyLength: 12 }],
  ['chunks', withBody('Transfer-Encoding: chunked'), { bodyLength: -1 }],
  ['chunks in capitals', withBody('TRANSFER-ENCODING: Chunked'), { bodyLength: -1 }],
  ['a length in HTTP/1.0', 'POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n', { bodyLength: 3 }],
  ['a GET with a body', `${GET}Content-Length: 3\r\n\r\n`, { bodyLength: 3 }],
  ['a length that only looks like one', withBody('Content_Length: 3'), { bodyLength: 0 }],
  ['two lengths', withBody('Content-Length: 1', 'Content-Length: 2'), 400],
  ['the same length twice', withBody('Content-Length: 1', 'Content-Length: 1'), 400],
  ['a list of lengths', withBody('Content-Length: 1, 1'), 400],
  ['a plus', withBody('Content-Length: +1'), 400],
  ['a minus', withBody('Content-Length: -1'), 400],
  ['hex', withBody('Content-Length: 0x10'), 400],
  ['hex digits', withBody('Content-Length: a'), 400],
  ['an exponent', withBody('Content-Length: 1e3'), 400],
  ['a fraction', withBody('Content-Length: 1.0'), 400],
  ['underscores', withBody('Content-Length: 1_0'), 400],
  ['a space inside', withBody('Content-Length: 1 0'), 400],
  ['an empty length', withBody('Content-Length:'), 400],
  ['quotes', withBody('Content-Length: "1"'), 400],
  ['full-width digits', withBody('Content-Length: \xef\xbc\x91'), 400],
  ['a length beyond 2^53', withBody('Content-Length: 9007199254740993'), 400],
  ['a length beyond 2^64', withBody('Content-Length: 18446744073709551617'), 400],
  ['a tab behind the length', withBody('Content-Length: 1\t'), 400],
  ['length and chunks', withBody('Content-Length: 1', 'Transfer-Encoding: chunked'), 400],
  ['chunks and length', withBody('Transfer-Encoding: chunked', 'Content-Length: 1'), 400],
  ['chunks and a length of nothing', withBody('Transfer-Encoding: chunked', 'Content-Length: 0'), 400],
  ['chunks twice', withBody('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 400],
  ['chunks twice in one field', withBody('Transfer-Encoding: chunked, chunked'), 501],
  ['identity', withBody('Transfer-Encoding: identity'), 501],
  ['gzip', withBody('Transfer-Encoding: gzip'), 501],
  ['gzip in chunks', withBody('Transfer-Encoding: gzip, chunked'), 501],
  ['chunks in gzip', withBody('Transfer-Encoding: chunked, gzip'), 501],
  ['a disguise before', withBody('Transfer-Encoding: xchunked'), 501],
  ['a disguise behind', withBody('Transfer-Encoding: chunkedx'), 501],
  ['a parameter', withBody('Transfer-Encoding: chunked;q=1'), 501],
  ['a comma', withBody('Transfer-Encoding: ,chunked'), 501],
  ['quotes around the coding', withBody('Transfer-Encoding: "chunked"'), 501],
  ['an empty coding', withBody('Transfer-Encoding:'), 501],
  ['a tab behind the coding', withBody('Transfer-Encoding: chunked\t'), 501],
  ['a vertical tab before the coding', withBody('Transfer-Encoding: \x0bchunked'), 400],
  ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ['a coding with a space before the colon', withBody('Transfer-Encoding : chunked'), 400],
];

export const CONNECTIONS: readonly RequestVector[] = [
  ['close', withField('Connection: close'), { keepAlive: false }],
  ['close among others', withField('Connection: x, Close'), { keepAlive: false }],
  ['keep-alive and close', withField('Connection: keep-alive\r\nConnection: close'), { keepAlive: false }],
  ['keep-alive in HTTP/1.0', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', { keepAlive: true }],
  ['a field of its own', withField('Connection: x-mine\r\nX-Mine: 1'), { keepAlive: true }],
  ['Host', withField('Connection: host'), 400],
  ['Content-Length', withField('Connection: content-length'), 400],
  ['Authorization', withField('Connection: close, Authorization'), 400],
  ['X-Forwarded-For', withField('Connection: x-forwarded-for'), 400],
  ['an expectation', withField('Expect: 100-Continue'), {}],
  ['another expectation', withField('Expect: 200-maybe'), 417],
  ['a switch to websocket', withField('Connection: Upgrade\r\nUpgrade: WebSocket'), { upgrade: 'websocket' }],
  ['a switch to something else', withField('Connection: Upgrade\r\nUpgrade: h2c'), {}],
  ['a switch Connection does not name', withField('Upgrade: websocket'), {}],
  ['a switch in HTTP/1.0', 'GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n', {}],
  ['a switch by POST', withBody('Connection: Upgrade', 'Upgrade: websocket'), 400],
  [
    'a body before a switch',
    withField('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2'),
    400,
  ],
];
