/** What a browser sends, about: heads of a realistic size, the same from both load generators. */
export const REQUEST_HEADERS: readonly (readonly [string, string])[] = [
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['Accept-Language', 'en-GB,en;q=0.7,de;q=0.3'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['Referer', 'http://shop.example.com/catalogue?page=2'],
  ['Cookie', 'session=0123456789abcdef0123456789abcdef; theme=dark'],
  ['Cache-Control', 'no-cache'],
];

export const REQUEST_PATH = '/catalogue/items?page=3&sort=price';

export function requestBytes(host: string): Buffer {
  const fields = [['Host', host] as const, ...REQUEST_HEADERS].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return Buffer.from(`GET ${REQUEST_PATH} HTTP/1.1\r\n${fields.join('')}\r\n`, 'latin1');
}
