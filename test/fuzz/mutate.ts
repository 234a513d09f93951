import type { Random } from '../../src/core/ports.ts';

const OCTETS = '\r\n\t \0\x0b\x7f\x80\xe4:;,="#/*@[]0123456789abcdefxX-+_.';
const SNIPPETS = [
  '\r\n',
  '\n',
  '\r',
  '\r\n ',
  'Content-Length: 5\r\n',
  'Content-Length: 6\r\n',
  'Content-Length: 0x5\r\n',
  'content-length:\t5 \r\n',
  'Content-Length: 5, 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'transfer-encoding:chunked \r\n',
  'Transfer-Encoding : chunked\r\n',
  'Connection: close\r\n',
  'Connection: upgrade\r\nUpgrade: websocket\r\n',
  'Host: b.test\r\n',
  'X: y\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  '5;a=b\r\nhello\r\n',
  ';a="b"',
  'X-Sum: 1\r\n',
  ' HTTP/1.1',
  'HTTP/1.0',
  'http://c.test/',
];

/** Changes a message in one to four places, the way attackers and bad software do. */
export function mutate(message: string, random: Random): string {
  let text = message;
  for (let left = 1 + Math.floor(random() * 4); left > 0; left -= 1) text = once(text, random);
  return text;
}

export function pick<T>(from: ArrayLike<T>, random: Random): T {
  return from[Math.floor(random() * from.length)]!;
}

function once(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1));
  switch (Math.floor(random() * 8)) {
    case 0:
      return text.slice(0, at) + pick(OCTETS, random) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + pick(OCTETS, random) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
    case 4:
      return text.slice(0, at) + pick(SNIPPETS, random) + text.slice(at);
    case 5: {
      const to = Math.min(text.length, at + Math.floor(random() * 20));
      return text.slice(0, at) + text.slice(at, to) + text.slice(at);
    }
    default:
      return insertLine(text, pick(SNIPPETS, random), random);
  }
}

/** At the beginning of a line: there most of the snippets mean something. */
function insertLine(text: string, snippet: string, random: Random): string {
  const lines = text.split('\r\n');
  const place = Math.floor(random() * lines.length);
  return [...lines.slice(0, place), snippet.replace(/\r\n$/, ''), ...lines.slice(place)].join('\r\n');
}
