import { existsSync, readFileSync } from 'node:fs';
import type { ApiAnswer, ApiCall } from '../../../src/lib/api-client.ts';

/** Exchanges recorded from a real control plane lie beside the repository; without them these cases are left out. */
const FOLDER = new URL('../../../../shared/contracts/openshift/', import.meta.url);

export const haveRecordings = existsSync(FOLDER);
if (!haveRecordings) console.warn(`left out: no recorded exchanges at ${FOLDER.pathname}`);

export interface Exchange {
  readonly call: ApiCall;
  readonly answer: ApiAnswer;
}

/** `golden/24-ssa-conflict`. */
export function recorded(name: string): Exchange {
  const { request, response } = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
  const isText = typeof response.body === 'string';
  return {
    call: { method: request.method, path: request.path },
    answer: {
      status: response.status,
      headers: response.headers,
      text: isText ? response.body : JSON.stringify(response.body),
      json: isText ? undefined : response.body,
    },
  };
}
