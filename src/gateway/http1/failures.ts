import type { Failure, FailureClass } from '../wire.ts';

/** No byte of the request has left us. */
export function connectFailure(error: Error, isSecure: boolean): Failure {
  return {
    kind: 'failed',
    class: connectClass(codeOf(error), isSecure),
    delivered: false,
    stale: false,
    detail: error.message,
  };
}

/** The connection ended under the request. `stale`: it had been used before, and no byte of an answer came. */
export function resetFailure(detail: string, stale: boolean): Failure {
  return { kind: 'failed', class: 'reset', delivered: true, stale, detail };
}

/** What came is not an answer we can pass on. */
export function protocolFailure(detail: string): Failure {
  return { kind: 'failed', class: 'protocol', delivered: true, stale: false, detail };
}

export function unsendable(detail: string): Failure {
  return { kind: 'failed', class: 'unsendable', delivered: false, stale: false, detail };
}

function connectClass(code: string, isSecure: boolean): FailureClass {
  switch (code) {
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'connect-timeout';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'connect-reset';
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'refused';
    default:
      // Besides those of the system there are as many codes as ways a handshake can fail.
      return isSecure ? 'tls' : 'refused';
  }
}

function codeOf(error: Error): string {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
