/**
 * One error class for everything a person may see. Each code stands once in this table with the exit status it
 * leads to; docs/operating.md lists them and a test compares the two.
 */
export const ERROR_CODES = {
  CONFIG_INVALID: { exit: 64, summary: 'the configuration has faults' },
  USAGE: { exit: 2, summary: 'the command line is wrong' },
  SOURCE_UNREADABLE: { exit: 64, summary: 'the application source cannot be read' },
  PLATFORM_AUTH: { exit: 1, summary: 'the platform refused the credentials' },
  PLATFORM_FORBIDDEN: { exit: 1, summary: 'the credentials lack a right on the platform' },
  PLATFORM_NOT_FOUND: { exit: 1, summary: 'the platform does not know this thing' },
  PLATFORM_CONFLICT: { exit: 1, summary: 'somebody else changed or owns this thing' },
  PLATFORM_INVALID: { exit: 1, summary: 'the platform refused the request as invalid' },
  PLATFORM_QUOTA: { exit: 1, summary: 'a quota of the platform is used up' },
  PLATFORM_RATE_LIMITED: { exit: 1, summary: 'the platform asks us to slow down' },
  PLATFORM_UNAVAILABLE: { exit: 1, summary: 'the platform API does not answer' },
  PLATFORM_TIMEOUT: { exit: 5, summary: 'the platform took too long' },
  PLATFORM_UNSUPPORTED: { exit: 1, summary: 'the platform cannot do this' },
  BUILD_FAILED: { exit: 1, summary: 'the platform could not build the application' },
  START_FAILED: { exit: 1, summary: 'the application did not start' },
  TASK_FAILED: { exit: 1, summary: 'a task, such as a migration, ended with a failure' },
  RELEASE_MISMATCH: { exit: 6, summary: 'another release answers than the one deployed' },
  VERIFY_TIMEOUT: { exit: 5, summary: 'the release did not prove itself in time' },
  GATE_FAILED: { exit: 6, summary: 'a release did worse under live traffic than the one before' },
  BARRIER_TIMEOUT: { exit: 5, summary: 'platforms that had to go on together did not' },
  SKEW_EXCEEDED: { exit: 5, summary: 'two releases served for longer than they may' },
  SAFETY_VETO: { exit: 4, summary: 'a safety rule forbids this' },
  PROMOTION_FAILED: { exit: 1, summary: 'the next writer could not be promoted' },
  LOCK_HELD: { exit: 7, summary: 'another deployment of this application is under way' },
  STATE_UNREADABLE: { exit: 1, summary: 'the state folder cannot be read' },
  SERVER_UNREACHABLE: { exit: 1, summary: 'no Sluice server answers' },
  SERVER_REFUSED: { exit: 1, summary: 'the Sluice server refused the request' },
  PORT_IN_USE: { exit: 1, summary: 'another program listens on this port' },
  HOST_UNREACHABLE: { exit: 1, summary: 'the host daemon does not answer' },
  PARTLY_DONE: { exit: 3, summary: 'some platforms are done, others are not' },
  NOT_HEALTHY: { exit: 6, summary: 'not healthy' },
  INTERRUPTED: { exit: 130, summary: 'interrupted' },
  BUG: { exit: 1, summary: 'a fault in Sluice itself' },
} as const satisfies Record<string, { exit: number; summary: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The classes every provider maps its platform's errors to (design: Providers). */
export type ErrorClass =
  | 'auth'
  | 'forbidden'
  | 'notFound'
  | 'conflict'
  | 'invalid'
  | 'quota'
  | 'rateLimited'
  | 'unavailable'
  | 'timeout'
  | 'buildFailed'
  | 'startFailed'
  | 'taskFailed'
  | 'unsupported'
  | 'bug';

const CODE_OF_CLASS: Record<ErrorClass, ErrorCode> = {
  auth: 'PLATFORM_AUTH',
  forbidden: 'PLATFORM_FORBIDDEN',
  notFound: 'PLATFORM_NOT_FOUND',
  conflict: 'PLATFORM_CONFLICT',
  invalid: 'PLATFORM_INVALID',
  quota: 'PLATFORM_QUOTA',
  rateLimited: 'PLATFORM_RATE_LIMITED',
  unavailable: 'PLATFORM_UNAVAILABLE',
  timeout: 'PLATFORM_TIMEOUT',
  buildFailed: 'BUILD_FAILED',
  startFailed: 'START_FAILED',
  taskFailed: 'TASK_FAILED',
  unsupported: 'PLATFORM_UNSUPPORTED',
  bug: 'BUG',
};

/** What, where, why and what to do: the four things a person needs. Plain JSON, so it can cross a process or the admin API. */
export interface ErrorDetails {
  /** Where: a platform, a file:line:col, a URL without secrets. */
  readonly where?: string;
  /** Why: the other side's own words, e.g. the platform's error text. */
  readonly why?: string;
  /** What to do about it. */
  readonly remedy?: string;
  /** The last lines of the log that belongs to it. */
  readonly logTail?: readonly string[];
  /** How long to wait before trying again, if the other side said so. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  /** Set on errors from a platform. */
  readonly class: ErrorClass | undefined;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}, errorClass?: ErrorClass) {
    super(what, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.class = errorClass;
    this.details = details;
  }

  get exitStatus(): number {
    return ERROR_CODES[this.code].exit;
  }

  /** Normalises whatever was caught. Unknown things are bugs of ours and keep their stack as cause. */
  static from(caught: unknown): SluiceError {
    if (caught instanceof SluiceError) return caught;
    const what = caught instanceof Error ? caught.message : String(caught);
    return new SluiceError('BUG', what, { cause: caught });
  }
}

/** Example: `platformError('quota', 'cf-eu', 'the space has no memory left', { why: answer.detail })`. */
export function platformError(
  errorClass: ErrorClass,
  platform: string,
  what: string,
  details: ErrorDetails = {},
): SluiceError {
  return new SluiceError(CODE_OF_CLASS[errorClass], what, { where: platform, ...details }, errorClass);
}

/** Is it an error from a platform, of one of these classes: `hasClass(error, 'notFound')`. */
export function hasClass(error: unknown, ...classes: readonly ErrorClass[]): error is SluiceError {
  return error instanceof SluiceError && error.class !== undefined && classes.includes(error.class);
}

/** The form in which an error crosses a process border or is stored; `fromWire(toWire(e))` keeps all but the cause. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly class?: ErrorClass;
  readonly where?: string;
  readonly why?: string;
  readonly remedy?: string;
  readonly logTail?: readonly string[];
}

export function toWire(error: SluiceError): WireError {
  const { where, why, remedy, logTail } = error.details;
  return {
    code: error.code,
    message: error.message,
    ...(error.class === undefined ? {} : { class: error.class }),
    ...(where === undefined ? {} : { where }),
    ...(why === undefined ? {} : { why }),
    ...(remedy === undefined ? {} : { remedy }),
    ...(logTail === undefined ? {} : { logTail }),
  };
}

export function fromWire(wire: WireError): SluiceError {
  const { code, message, class: errorClass, ...details } = wire;
  return new SluiceError(code, message, details, errorClass);
}
