import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { readBody as readLimited } from '../../../../src/lib/read-body.ts';
import { badRequest, unsupportedMediaType } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { ResourceType } from '../resources.ts';

/** One request after its path was understood. */
export interface ApiRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly user: string;
  /** For what reads late or writes for long; everything else uses `readBody` and returns an answer. */
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

export interface Target {
  readonly type: ResourceType;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

export type Answer =
  | {
      readonly kind: 'json';
      readonly code: number;
      readonly body: JsonObject;
      readonly warnings?: readonly string[];
    }
  | { readonly kind: 'text'; readonly code: number; readonly text: string; readonly contentType: string }
  /** Somewhere else, e.g. with a token in the fragment. */
  | { readonly kind: 'redirect'; readonly location: string }
  /** The handler writes the response itself and for as long as it likes. */
  | {
      readonly kind: 'stream';
      readonly contentType: string;
      readonly write: (response: ServerResponse) => void;
    };

export function ok(body: JsonObject, code = 200): Answer {
  return { kind: 'json', code, body };
}

export function plain(text: string, code = 200): Answer {
  return { kind: 'text', code, text, contentType: 'text/plain; charset=utf-8' };
}

const MAX_OBJECT_BYTES = 3 * 1024 * 1024;

export function readBody(incoming: IncomingMessage, limit = MAX_OBJECT_BYTES): Promise<Buffer> {
  return readLimited(incoming, limit, () =>
    badRequest(`the request is too large: the limit is ${limit} bytes`),
  );
}

/** JSON, or YAML where the media type says so (JSON is YAML). */
export async function readJson(request: ApiRequest): Promise<Json> {
  const mediaType = request.headers['content-type'] ?? '';
  if (mediaType.includes('protobuf')) throw unsupportedMediaType(['application/json', 'application/yaml']);
  const text = (await readBody(request.incoming)).toString('utf8');
  if (text === '') return {};
  const yaml = mediaType.includes('yaml');
  try {
    const value: Json = yaml ? parseYaml(text) : JSON.parse(text);
    return value;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(`error decoding the request body: ${why}`);
  }
}

export async function readObject(request: ApiRequest): Promise<JsonObject> {
  const body = await readJson(request);
  if (!isObject(body)) throw badRequest('the request body must be an object');
  return body;
}

export function isDryRun(request: ApiRequest): boolean {
  return request.query.getAll('dryRun').includes('All');
}

/** Who writes: what the request says, else the first word of its User-Agent. */
export function managerOf(request: ApiRequest): string {
  const named = request.query.get('fieldManager');
  if (named) return named;
  return (request.headers['user-agent'] ?? 'unknown').split('/')[0] || 'unknown';
}
