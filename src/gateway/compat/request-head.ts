import type { IncomingMessage } from 'node:http';
import type { LimitSettings } from '../../core/settings.ts';
import { connectionOptions } from '../headers.ts';
import { firstField, type OutageStatus } from '../outage-answers.ts';
import { CHUNKED, type FlatHeaders, type Peer, type RequestHead } from '../wire.ts';

const AUTHORITY = /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;
const ORIGIN_FORM = /^\/[\x21\x22\x24-\x7e]*$/;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]+)(.*)$/i;

/**
 * What node's strict parser lets through and we do not: it keeps duplicate Hosts, authorities with user or path,
 * transfer codings besides chunked, and targets with bytes no URL has. Two readers would disagree on each of them.
 */
export function requestHead(
  message: IncomingMessage,
  peer: Peer,
  limits: Pick<LimitSettings, 'fields' | 'targetBytes'>,
): RequestHead | OutageStatus {
  const headers = message.rawHeaders;
  // node's parser takes a line without a version for HTTP/0.9.
  if (message.httpVersion !== '1.1' && message.httpVersion !== '1.0') return 505;
  if ((message.url ?? '').length > limits.targetBytes) return 414;
  if (headers.length > 2 * limits.fields) return 431;
  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let upgrade: string | undefined;
  let upgrading = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const value = headers[i + 1]!;
    switch (headers[i]!.toLowerCase()) {
      case 'host':
        if (host !== undefined) return 400;
        host = value;
        break;
      case 'content-length':
        if (length !== undefined || !/^[0-9]{1,15}$/.test(value)) return 400;
        length = value;
        break;
      case 'transfer-encoding':
        if (coding !== undefined) return 400;
        coding = value.trim().toLowerCase();
        break;
      case 'upgrade':
        upgrade = value.trim().toLowerCase();
        break;
      case 'connection': {
        const options = connectionOptions(value);
        if (options === undefined) return 400;
        upgrading ||= options.includes('upgrade');
        break;
      }
      case 'expect':
        if (value.toLowerCase() !== '100-continue') return 417;
        break;
    }
  }
  const old = message.httpVersion === '1.0';
  if (coding !== undefined && (old || length !== undefined)) return 400;
  if (coding !== undefined && coding !== 'chunked') return 501;
  if (host !== undefined && !AUTHORITY.test(host)) return 400;
  if (host === undefined && !old) return 400;

  const target = originForm(message.url ?? '', message.method ?? '');
  if (target === undefined) return 400;
  const bodyLength = coding !== undefined ? CHUNKED : length === undefined ? 0 : Number(length);
  const wanted = upgrading && !old && upgrade === 'websocket' ? upgrade : undefined;
  // A body before the switch could be read as the first bytes after it.
  if (wanted !== undefined && (bodyLength !== 0 || message.method !== 'GET')) return 400;
  return new CompatRequestHead(
    message.method ?? '',
    target.path,
    target.authority ?? host ?? '',
    bodyLength,
    wanted,
    headers,
    peer,
  );
}

function originForm(
  url: string,
  method: string,
): { readonly path: string; readonly authority: string | undefined } | undefined {
  if (url === '*') return method === 'OPTIONS' ? { path: '*', authority: undefined } : undefined;
  if (ORIGIN_FORM.test(url)) return { path: url, authority: undefined };
  const absolute = ABSOLUTE_FORM.exec(url);
  if (absolute === null) return undefined;
  const authority = absolute[1]!;
  const rest = absolute[2]!;
  // What an OPTIONS without path and query is about is the server itself (RFC 9112 §3.2.4).
  if (rest === '' && method === 'OPTIONS')
    return AUTHORITY.test(authority) ? { path: '*', authority } : undefined;
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return AUTHORITY.test(authority) && ORIGIN_FORM.test(path) ? { path, authority } : undefined;
}

class CompatRequestHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly bodyLength: number;
  readonly upgrade: string | undefined;
  readonly headers: FlatHeaders;
  readonly peer: Peer;

  constructor(
    method: string,
    target: string,
    host: string,
    bodyLength: number,
    upgrade: string | undefined,
    headers: FlatHeaders,
    peer: Peer,
  ) {
    this.method = method;
    this.target = target;
    this.host = host;
    this.bodyLength = bodyLength;
    this.upgrade = upgrade;
    this.headers = headers;
    this.peer = peer;
  }

  field(name: string): string | undefined {
    return firstField(this.headers, name);
  }
}
