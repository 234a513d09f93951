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
  'api-502': 'the API answers 502 with a body that is not its own',
  'api-401-once': 'the next API call finds its token expired',
  'build-fails': 'every build fails',
  'crash-loop': 'instances started from now on exit at once',
  'wrong-release': 'instances started from now on report another release',
  'quota-exceeded': 'anything that needs more memory is refused',
} as const satisfies Record<string, string>;

export type Fault = keyof typeof FAULTS;

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
