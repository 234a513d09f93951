import { z } from 'zod';

/**
 * What a local platform can be told to do wrong. Each of them serves `POST /faults` on its control port with
 * `{"fault":"router-down","on":true}` and `GET /faults` with what is on.
 */
export const FAULTS = {
  'router-down': 'the router closes its port: connections are refused',
  'router-frozen': 'the router accepts connections and never answers, also on those already open',
  'api-down': 'the API refuses connections while applications serve',
  'apps-down': 'all instances get SIGKILL and stay down while the API answers',
  'api-slow': 'each API answer is delayed by 2 s',
  'api-429': 'the API answers 429 with Retry-After: 1',
  'api-429-bare': 'the API answers 429 and does not say for how long',
  'api-500-thrice': 'the next three API calls are answered 500',
  'api-502': 'the API answers 502 with a body that is not its own',
  'api-401-once': 'the next API call finds its token expired',
  'watch-silent': 'watches of the API stay open and say nothing any more, those begun now included',
  'upload-cut-once': 'the next upload is reset when part of it has arrived',
  'build-fails': 'every build fails',
  'jobs-fail': 'what the API took on to do later ends as failed, and is told with 200',
  'crash-loop': 'instances started from now on exit at once',
  'stuck-pending': 'instances started from now on find no place to run',
  'wrong-release': 'instances started from now on report another release',
  'quota-exceeded': 'anything that needs more memory is refused',
} as const satisfies Record<string, string>;

export type Fault = keyof typeof FAULTS;

/** Faults that end by themselves, and after how many calls. */
const LASTS = {
  'api-401-once': 1,
  'api-500-thrice': 3,
  'upload-cut-once': 1,
} as const satisfies Partial<Record<Fault, number>>;

export type PassingFault = keyof typeof LASTS;

/** `take(fault)`: does it hit this call? Ends the fault with the last call that it hits. */
export function createPassing(faults: {
  readonly isOn: (fault: Fault) => boolean;
  readonly end: (fault: Fault) => void;
}): (fault: PassingFault) => boolean {
  const hits = new Map<PassingFault, number>();
  return function take(fault) {
    if (!faults.isOn(fault)) return false;
    const hit = (hits.get(fault) ?? 0) + 1;
    hits.set(fault, hit);
    if (hit < LASTS[fault]) return true;
    hits.delete(fault);
    faults.end(fault);
    return true;
  };
}

export function isFault(text: string): text is Fault {
  return Object.hasOwn(FAULTS, text);
}

const wishSchema = z.object({ fault: z.string().refine(isFault), on: z.boolean() });

/** What `POST /faults` was told, or undefined where it was told nothing sensible. */
export function parseFaultWish(text: string): z.output<typeof wishSchema> | undefined {
  try {
    return wishSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
