/** One entry of the `errors[]` every failed Cloud Controller answer carries. */
export interface CloudErrorEntry {
  readonly code: number;
  readonly title: string;
  readonly detail: string;
}

/** Thrown by handlers; the API server turns it into a status and `{"errors":[…]}`. */
export class CloudError extends Error {
  readonly status: number;
  readonly errors: readonly CloudErrorEntry[];
  /** What a broker said, without our words around it. */
  readonly reason: string;

  constructor(status: number, code: number, title: string, detail: string, reason = detail) {
    super(detail);
    this.reason = reason;
    this.status = status;
    this.errors = [{ code, title, detail }];
  }
}

export function unprocessable(detail: string): CloudError {
  return new CloudError(422, 10008, 'CF-UnprocessableEntity', detail);
}

/** What the operator has switched off. */
export function featureDisabled(flag: string): CloudError {
  return new CloudError(403, 330002, 'CF-FeatureDisabled', `Feature Disabled: ${flag}`);
}

/** `notFound('App')`: also what a client without the right to read gets. */
export function notFound(resource: string): CloudError {
  return new CloudError(404, 10010, 'CF-ResourceNotFound', `${resource} not found`);
}

export function unknownRequest(): CloudError {
  return new CloudError(404, 10000, 'CF-NotFound', 'Unknown request');
}

export function badQuery(detail: string): CloudError {
  return new CloudError(400, 10005, 'CF-BadQueryParameter', `The query parameter is invalid: ${detail}`);
}

export function unparsable(): CloudError {
  return new CloudError(
    400,
    1001,
    'CF-MessageParseError',
    'Request invalid due to parse error: invalid request body',
  );
}

export function notAuthenticated(): CloudError {
  return new CloudError(401, 10002, 'CF-NotAuthenticated', 'Authentication error');
}

export function invalidToken(): CloudError {
  return new CloudError(401, 1000, 'CF-InvalidAuthToken', 'Invalid Auth Token');
}

export function notUnique(detail: string): CloudError {
  return new CloudError(422, 10016, 'CF-UniquenessError', detail);
}

/** The wording differs by what asked for the memory; every one contains `space_quota_exceeded`. */
export function quotaExceeded(suffix = ''): CloudError {
  return unprocessable(`memory space_quota_exceeded${suffix}`);
}
