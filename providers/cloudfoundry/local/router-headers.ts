import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Endpoint } from './engine/instances.ts';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What the app sees: the client's headers, and who it is in the eyes of the router. */
export function requestHeaders(
  request: IncomingMessage,
  endpoint: Endpoint,
  requestId: string,
  nowMs: number,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  const named = connectionNames(request);
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? '').toLowerCase();
    if (HOP_BY_HOP.has(name) || named.has(name) || name === 'expect') continue;
    const value = request.rawHeaders[i + 1] ?? '';
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else headers[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
  }
  const peer = request.socket.remoteAddress ?? '127.0.0.1';
  const chain = request.headers['x-forwarded-for'];
  headers['x-forwarded-for'] = chain === undefined ? peer : `${String(chain)}, ${peer}`;
  headers['x-forwarded-proto'] ??= request.socket instanceof TLSSocket ? 'https' : 'http';
  headers['x-request-start'] ??= String(Math.trunc(nowMs));
  headers['x-vcap-request-id'] = requestId;
  headers['x-cf-applicationid'] = endpoint.appGuid;
  headers['x-cf-instanceindex'] = String(endpoint.index);
  headers['x-cf-instanceid'] = endpoint.instanceGuid;
  const upgrade = request.headers.upgrade;
  if (upgrade !== undefined) {
    headers['connection'] = 'Upgrade';
    headers['upgrade'] = upgrade;
  }
  return headers;
}

/** What the router itself puts on an answer that an app gave. */
interface RouterMarks {
  readonly requestId: string;
  /** A `;` in the query: gorouter says that it will not understand it for ever, on answers that are fine. */
  readonly semicolons: boolean;
  readonly cookie: string | undefined;
}

/** The app's headers, and the request's id unless the app named one itself. Flat, as `writeHead` takes them. */
export function answerHeaders(answer: IncomingMessage, marks: RouterMarks): string[] {
  const headers: string[] = [];
  const named = connectionNames(answer);
  let hasId = false;
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    const name = answer.rawHeaders[i] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || named.has(lower)) continue;
    hasId ||= lower === 'x-vcap-request-id';
    headers.push(name, answer.rawHeaders[i + 1] ?? '');
  }
  if (!hasId) headers.push('X-Vcap-Request-Id', marks.requestId);
  if (marks.semicolons) headers.push('X-Cf-Routererror', 'deprecated-semicolon-params');
  if (marks.cookie !== undefined) headers.push('Set-Cookie', marks.cookie);
  return headers;
}

/** `Connection: close, X-Private` makes X-Private a matter of this hop too. */
function connectionNames(message: IncomingMessage): ReadonlySet<string> {
  const header = message.headers.connection;
  if (header === undefined) return new Set();
  return new Set(header.split(',').map((name) => name.trim().toLowerCase()));
}
