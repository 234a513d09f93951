import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Exchanges recorded from a real OpenShift 4.19 control plane lie beside the repository. */
const RECORDINGS = join(import.meta.dirname, '../../../../../shared/contracts/openshift');

export interface Exchange {
  /** `golden/24-ssa-conflict`. */
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

export const haveRecordings = existsSync(RECORDINGS);
export const missingRecordings = `no recorded exchanges at ${RECORDINGS}`;

/** Recorded out of their alphabetical place: the upload was under way before the build was looked at. */
const PLACE: Readonly<Record<string, string>> = {
  'golden-s2i/zz-instantiatebinary-ok': 'golden-s2i/09-build-early!',
};

/** One recorded session, in the order it happened. */
export function exchangesOf(folder: string): Exchange[] {
  const names = readdirSync(join(RECORDINGS, folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => `${folder}/${file.slice(0, -'.json'.length)}`);
  return names.sort((a, b) => ((PLACE[a] ?? a) < (PLACE[b] ?? b) ? -1 : 1)).map(load);
}

function load(name: string): Exchange {
  const { request, response } = JSON.parse(readFileSync(join(RECORDINGS, `${name}.json`), 'utf8'));
  return { name, request, response };
}
