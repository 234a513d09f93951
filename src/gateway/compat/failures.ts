import type { Failure, FailureClass } from '../wire.ts';

/** undici's parser error comes with a code or without one, as it finds the number in its table. */
const INVALID = /^(?:HPE_.*|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/;

/** No byte of the request has left us. */
export function connectFailure(error: Error): Failure {
  return {
    kind: 'failed',
    class: connectClass(codeOf(error)),
    delivered: false,
    stale: false,
    detail: error.message,
  };
}

export function failureAfterSending(error: Error, stale: boolean): Failure {
  const code = codeOf(error);
  // A parser that gave up means bytes came, so the connection was not simply closed under us.
  const invalid = error.name === 'HTTPParserError' || INVALID.test(code);
  return {
    kind: 'failed',
    class: invalid ? 'protocol' : 'reset',
    delivered: true,
    stale: stale && !invalid,
    detail: error.message,
  };
}

/** What came is not an answer we can pass on. */
export function protocolFailure(detail: string): Failure {
  return { kind: 'failed', class: 'protocol', delivered: true, stale: false, detail };
}

function connectClass(code: string): FailureClass {
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'connect-timeout';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'connect-reset';
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
      return 'unsendable';
    case 'EPROTO':
      return 'tls';
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'refused';
    default:
      return /TLS|SSL|CERT|SIGNATURE|SELF_SIGNED|ISSUER/.test(code) ? 'tls' : 'refused';
  }
}

function codeOf(error: Error): string {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
