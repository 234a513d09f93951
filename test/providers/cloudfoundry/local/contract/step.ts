import type { Answer, Foundation } from '../foundation.ts';

/** Guids by the names the steps give them: `app`, `droplet`, `space`. */
export type Guids = Record<string, string>;

/** One documented request, sent to the local platform. */
export interface Step {
  /** The page that documents it: `apps.create`. */
  readonly page: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: (guids: Guids) => string;
  readonly body?: (guids: Guids) => unknown;
  readonly headers?: Record<string, string>;
  /** Sends it in a way of its own: uploads. */
  readonly send?: (foundation: Foundation, guids: Guids) => Promise<Answer>;
  /** Keeps the answer's guid under this name. */
  readonly keep?: string;
  /** Waits for the job the answer names. */
  readonly job?: boolean;
  /** What must have happened before, or does once it was sent. */
  readonly before?: (foundation: Foundation, guids: Guids) => Promise<unknown>;
  readonly after?: (foundation: Foundation, guids: Guids, answer: Answer) => Promise<unknown>;
}

type Extra = Omit<Step, 'page' | 'method' | 'path' | 'body'>;
type Path = string | ((guids: Guids) => string);
type Body = object | ((guids: Guids) => unknown);

function at(path: Path): (guids: Guids) => string {
  return typeof path === 'string' ? () => path : path;
}

function sent(body: Body): (guids: Guids) => unknown {
  return (guids) => (typeof body === 'function' ? body(guids) : body);
}

export function get(page: string, path: Path, extra: Extra = {}): Step {
  return { page, method: 'GET', path: at(path), ...extra };
}

export function post(page: string, path: Path, body: Body = {}, extra: Extra = {}): Step {
  return { page, method: 'POST', path: at(path), body: sent(body), ...extra };
}

export function patch(page: string, path: Path, body: Body, extra: Extra = {}): Step {
  return { page, method: 'PATCH', path: at(path), body: sent(body), ...extra };
}

export function remove(page: string, path: Path, extra: Extra = {}): Step {
  return { page, method: 'DELETE', path: at(path), ...extra };
}

/** `{"data":{"guid":"…"}}`. */
export function one(guid: string | undefined): { data: { guid: string } } {
  return { data: { guid: guid ?? '' } };
}

export function many(...guids: readonly (string | undefined)[]): { data: { guid: string }[] } {
  return { data: guids.map((guid) => ({ guid: guid ?? '' })) };
}

export const labels = {
  metadata: { labels: { key: 'value' }, annotations: { note: 'detailed information' } },
};
