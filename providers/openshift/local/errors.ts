import type { JsonObject } from './json.ts';
import { qualified, type ResourceType } from './resources.ts';

export type Cause = { reason?: string; message: string; field?: string };

export type Status = {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Failure' | 'Success';
  message?: string;
  reason?: string;
  details?: JsonObject;
  code?: number;
};

/** An answer of the API that is not a success: the Status object every Kubernetes client parses. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status;
  readonly code: number;

  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message);
    this.code = code;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** `details` of an error about one object: `{name, group, kind: plural}`. */
function about(type: ResourceType, name: string): JsonObject {
  return { name, ...(type.group === '' ? {} : { group: type.group }), kind: type.plural };
}

export function notFound(type: ResourceType, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualified(type)} "${name}" not found`, about(type, name));
}

/** The path belongs to a served group but leads to nothing. */
export function noSuchResource(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(type: ResourceType, name: string): StatusError {
  return new StatusError(
    409,
    'AlreadyExists',
    `${qualified(type)} "${name}" already exists`,
    about(type, name),
  );
}

export function modified(type: ResourceType, name: string): StatusError {
  return new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(type)} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    about(type, name),
  );
}

export function invalid(type: ResourceType, name: string, causes: readonly Cause[]): StatusError {
  const lines = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  return new StatusError(
    422,
    'Invalid',
    `${kind} "${name}" is invalid: ${lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`}`,
    {
      name,
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.kind,
      causes: [...causes],
    },
  );
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized');
}

export function forbidden(
  user: string,
  verb: string,
  type: ResourceType,
  name: string | undefined,
  namespace: string | undefined,
  subresource?: string,
): StatusError {
  const resource = subresource === undefined ? type.plural : `${type.plural}/${subresource}`;
  const what = name === undefined ? qualified(type) : `${qualified(type)} "${name}"`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  return new StatusError(
    403,
    'Forbidden',
    `${what} is forbidden: User "${user}" cannot ${verb} resource "${resource}" in API group "${type.group}" ${scope}`,
    {
      ...(name === undefined ? {} : { name }),
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.plural,
    },
  );
}

/** Refused by an admission plugin, in its words. */
export function forbiddenBecause(type: ResourceType, name: string, why: string): StatusError {
  return new StatusError(
    403,
    'Forbidden',
    `${qualified(type)} "${name}" is forbidden: ${why}`,
    about(type, name),
  );
}

export function namespaceTerminating(type: ResourceType, name: string, namespace: string): StatusError {
  return new StatusError(
    403,
    'Forbidden',
    `${qualified(type)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      ...about(type, name),
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  );
}

export function methodNotAllowed(): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** `inconsistent` continues a list all the same, with what there is now. */
export function expired(message: string, inconsistent?: string): StatusError {
  const error = new StatusError(410, 'Expired', message);
  if (inconsistent !== undefined) error.status.metadata = { continue: inconsistent };
  return error;
}

export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, {
    causes: [{ message }],
  });
}
