/** The router's own answers: told from an application's by HTTP/1.0, these headers and the missing cookie. */
const HEADERS = [
  'Pragma: no-cache',
  'Cache-Control: private, max-age=0, no-cache, no-store',
  'Connection: close',
  'Content-Type: text/html',
];

const UNAVAILABLE_PAGE = `<html>
  <head>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <style type="text/css">
      body { font-family: sans-serif; line-height: 1.6; color: #333; margin: 4em 1em; }
      h1 { font-size: 28px; font-weight: 400; }
    </style>
  </head>
  <body>
    <h1>Application is not available</h1>
    <p>The application is currently not serving requests at this endpoint. It may not have been started or is still starting.</p>
    <p>Either no route has this host and path, or none of the pods behind it takes traffic.</p>
  </body>
</html>
`;

/** No route, no service or no endpoint: all the same to a client. */
export function unavailable(method: string): string {
  return response('503 Service Unavailable', HEADERS, UNAVAILABLE_PAGE, method);
}

const PLAIN = [
  'content-length: {length}',
  'cache-control: no-cache',
  'content-type: text/html',
  'connection: close',
];

/** The application closed the connection or answered no HTTP. */
export function badGateway(method: string): string {
  return http11(
    '502 Bad Gateway',
    '502 Bad Gateway',
    'The server returned an invalid or incomplete response.',
    method,
  );
}

/** The application took longer than the route's timeout. */
export function gatewayTimeout(method: string): string {
  return http11('504 Gateway Time-out', '504 Gateway Time-out', "The server didn't respond in time.", method);
}

export function badRequest(method: string): string {
  return http11('400 Bad request', '400 Bad request', 'Your browser sent an invalid request.', method);
}

/** Plain HTTP to a route that wants TLS; the port is dropped, as the real one does. */
export function redirect(location: string): string {
  return `HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: ${location}\r\ncache-control: no-cache\r\nconnection: close\r\n\r\n`;
}

function http11(status: string, title: string, text: string, method: string): string {
  const body = `<html><body><h1>${title}</h1>\n${text}\n</body></html>\n`;
  const headers = PLAIN.map((header) => header.replace('{length}', String(Buffer.byteLength(body))));
  return response(status, headers, body, method, 'HTTP/1.1');
}

function response(
  status: string,
  headers: readonly string[],
  body: string,
  method: string,
  version = 'HTTP/1.0',
): string {
  const head = `${version} ${status}\r\n${headers.join('\r\n')}\r\n\r\n`;
  return method === 'HEAD' ? head : head + body;
}
