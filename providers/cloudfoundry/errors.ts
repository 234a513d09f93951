import { type ErrorClass, hasClass, platformError, SluiceError } from '../../src/core/errors.ts';
import type { ApiAnswer, ApiCall } from '../../src/lib/api-client.ts';
import { retryAfterMs, untilResetMs } from '../../src/lib/rate-headers.ts';
import { isUnknownEndpoint } from './missing.ts';
import { apiErrorsSchema } from './wire.ts';

/** Titles that say more than the status does. */
const CLASS_OF_TITLE: Readonly<Record<string, Refusal>> = {
  'CF-UniquenessError': 'conflict',
  'CF-AsyncServiceInstanceOperationInProgress': 'conflict',
  'CF-StagingInProgress': 'conflict',
  'CF-DeploymentsDisabled': 'unsupported',
  'CF-FeatureDisabled': 'unsupported',
};

const QUOTA = /quota|exceeded your .*limit|memory limit|instance limit|insufficient resources/i;
const CLASH =
  /must be unique|already (exists|taken|in use)|is taken|deployment is in flight|Only one build can be STAGING/i;

const REMEDY = {
  auth: 'check the credentials of this platform in sluice.yaml',
  forbidden: 'give the user or client the role SpaceDeveloper in this org and space',
  notFound: 'check org, space and domain of this platform in sluice.yaml',
  quota: 'free memory, instances or routes in this space, or ask for a larger quota',
  rateLimited: 'wait, or ask the operator for a higher rate limit',
  unavailable: 'see whether the API works: `cf api`; what runs there keeps serving',
  conflict: 'see who else works on this application; then deploy again',
  invalid: 'correct what the platform names; if it is nothing you wrote, report it as a fault of Sluice',
  unsupported:
    'do without it there, or ask the operator for a newer Cloud Foundry or for the feature to be enabled',
} as const satisfies Partial<Record<ErrorClass, string>>;

/** The classes that a refused call can have. */
type Refusal = keyof typeof REMEDY;

/** Turns an answer of Cloud Controller with status ≥ 400 into an error with the platform's own words in `why`. */
export function errorOf(platform: string, now: number, answer: ApiAnswer, call: ApiCall): SluiceError {
  const { status, headers } = answer;
  const what = `${call.method} ${call.path.replace(/\?.*/, '')} was answered ${status}`;
  const decoded = apiErrorsSchema.safeParse(answer.json);
  const errors = decoded.success ? decoded.data.errors : [];
  const request = headers['x-vcap-request-id'];
  const words =
    errors.map((error) => `${error.detail} (${error.title})`).join('; ') || firstLine(answer.text);
  const why = request === undefined ? words : `${words} [request ${request}]`;
  const isUnknown = isUnknownEndpoint(answer);
  const errorClass = isUnknown ? 'unsupported' : classify(status, headers, errors);
  const asked = retryAfterMs(headers, now) ?? untilResetMs(headers, now);
  const wait = errorClass === 'rateLimited' ? asked : undefined;
  return platformError(errorClass, platform, what, {
    why,
    remedy: REMEDY[errorClass].replace('this platform', `platform ${platform}`),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

function classify(
  status: number,
  headers: Readonly<Record<string, string>>,
  errors: readonly { readonly title: string; readonly detail: string }[],
): Refusal {
  if (status === 429) return 'rateLimited';
  // The API stands behind a gorouter: its 404 means that the API is gone, not the thing we asked for.
  if (errors.length === 0 && (status === 404 || headers['x-cf-routererror'] !== undefined)) {
    return 'unavailable';
  }
  if (status >= 500) return 'unavailable';
  for (const { title, detail } of errors) {
    const known = CLASS_OF_TITLE[title];
    if (known) return known;
    if (QUOTA.test(detail) || QUOTA.test(title)) return 'quota';
    if (CLASH.test(detail)) return 'conflict';
  }
  if (status === 401) return 'auth';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'notFound';
  if (status === 409) return 'conflict';
  return 'invalid';
}

/** The API has no such endpoint: it is a part of Cloud Foundry's only (Korifi), or an old one. */
export function isNotThere(error: unknown): error is SluiceError {
  return hasClass(error, 'unsupported') && /was answered (404|405|501)$/.test(error.message);
}

/** A build of another release occupies the application's one staging place. */
export function isStagingInProgress(error: unknown): boolean {
  return says(error, /StagingInProgress|Only one build can be STAGING/);
}

/** The first of two uploads of the same package or droplet won; its bits are the same as ours. */
export function isAlreadyUploaded(error: unknown): boolean {
  return says(error, /PackageBitsAlreadyUploaded|150004|may be uploaded only once/);
}

function says(error: unknown, pattern: RegExp): boolean {
  return error instanceof SluiceError && pattern.test(error.details.why ?? '');
}

function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line === '' ? 'an empty answer' : line.slice(0, 300);
}
