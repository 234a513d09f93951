import { type ErrorClass, platformError, SluiceError } from '../../src/core/errors.ts';
import type { ApiAnswer, ApiCall } from '../../src/lib/api-client.ts';
import { retryAfterMs } from '../../src/lib/rate-headers.ts';
import { refusalIn } from './refusals.ts';
import { type Status, statusSchema } from './wire.ts';

/** What was asked for goes on from a version that the server no longer knows: only a new list helps. */
export class VersionForgotten extends SluiceError {
  constructor(platform: string, why: string) {
    super(
      'PLATFORM_CONFLICT',
      'the server has forgotten this version',
      { where: platform, why, remedy: 'try again: it begins with a new list' },
      'conflict',
    );
  }
}

/**
 * An answer with status ≥ 400 as an error in our words, or undefined when it only says that a thing is not there.
 * A group that the server does not have answers 404 too, but as text: that is another thing altogether.
 */
export function errorOf(
  platform: string,
  namespace: string,
  now: number,
  answer: ApiAnswer,
  call: ApiCall,
): SluiceError | undefined {
  const parsed = statusSchema.safeParse(answer.json);
  const status = parsed.success ? parsed.data : undefined;
  if (answer.status === 404 && status && (call.method === 'GET' || call.method === 'DELETE'))
    return undefined;
  if (answer.status === 410) return new VersionForgotten(platform, status?.message ?? answer.text);
  const verdict = classify(answer, status, platform, namespace);
  const wait = retryAfterMs(answer.headers, now);
  const path = call.path.split('?')[0];
  return platformError(verdict.class, platform, verdict.what, {
    why: `${call.method} ${path} answered ${answer.status}: ${verdict.why ?? (status?.message || excerpt(answer.text))}`,
    remedy: verdict.remedy,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

interface Verdict {
  readonly class: ErrorClass;
  readonly what: string;
  /** Left out: the answer as it was. */
  readonly why?: string;
  readonly remedy: string;
}

function classify(
  answer: ApiAnswer,
  status: Status | undefined,
  platform: string,
  namespace: string,
): Verdict {
  const message = status?.message ?? answer.text;
  switch (answer.status) {
    case 401:
      return {
        class: 'auth',
        what: 'the API refused the token',
        remedy: `it is wrong or has expired: make a new one (\`oc create token SERVICEACCOUNT\`) and set platforms.${platform}.credentials.token`,
      };
    case 403:
      return forbidden(message, platform, namespace);
    case 404:
      return status
        ? {
            class: 'notFound',
            what: message.startsWith('namespaces ')
              ? `there is no project "${namespace}"`
              : 'the platform does not know this thing',
            remedy: `check the namespace; \`oc new-project ${namespace}\` makes it`,
          }
        : {
            class: 'unsupported',
            what: 'this server does not have that part of the API',
            remedy:
              'check that `api` is the address of an OpenShift API server with builds and routes enabled',
          };
    case 405:
      return {
        class: 'unsupported',
        what: 'this server does not allow that operation',
        remedy: 'check that `api` is the address of an OpenShift API server',
      };
    case 409:
      return {
        class: 'conflict',
        what: 'somebody else changed or owns this thing',
        remedy: 'look at it with `oc get … -o yaml --show-managed-fields`, then try again',
      };
    case 429:
      return {
        class: 'rateLimited',
        what: 'the API asks us to slow down',
        remedy: 'try again later; if it stays so, ask for a higher API priority for this account',
      };
    case 504:
      return {
        class: 'timeout',
        what: 'the API took too long',
        remedy: 'look at the cluster; a load balancer in front of the API may cut long calls',
      };
    default:
      return answer.status >= 500 ? UNAVAILABLE : invalid(message);
  }
}

const UNAVAILABLE: Verdict = {
  class: 'unavailable',
  what: 'the API does not work at the moment',
  remedy: 'look at the cluster (`oc get clusteroperators`); what runs there is not touched',
};

const NO_CUSTOM_HOST: Verdict = {
  class: 'forbidden',
  what: 'the token may not choose the host name of a route',
  remedy: 'grant create and update on routes/custom-host, or leave out routeHost and `publicHost: map`',
};

/** `deployments.apps is forbidden: User "u" cannot create resource "deployments" in API group "apps" in the namespace "n"` */
const LACKS = /User "([^"]+)" cannot (\w+) resource "([^"]+)"/;

/** 403 says many different things; only the message tells which. */
function forbidden(message: string, platform: string, namespace: string): Verdict {
  const refusal = refusalIn(message);
  if (refusal) return refusal;
  if (message.includes('system:anonymous')) {
    return {
      class: 'auth',
      what: 'the API does not know who we are',
      remedy: `set platforms.${platform}.credentials.token`,
    };
  }
  if (message.includes('being terminated')) {
    return {
      class: 'conflict',
      what: `project "${namespace}" is being deleted`,
      remedy: 'wait until it is gone, make it anew, then try again',
    };
  }
  const [, user, verb, resource] = LACKS.exec(message) ?? [];
  if (resource === 'routes/custom-host' || message.includes('routes/custom-host')) return NO_CUSTOM_HOST;
  return {
    class: 'forbidden',
    what: user === undefined ? 'the token lacks a right' : `${user} may not ${verb} ${resource}`,
    remedy: `give its account the role \`edit\` in project "${namespace}" (\`oc policy add-role-to-user edit …\`)`,
  };
}

function invalid(message: string): Verdict {
  if (
    message.includes('permission to set the host') ||
    /spec\.host: .*do not have permission/.test(message)
  ) {
    return NO_CUSTOM_HOST;
  }
  if (/spec\.tls.*(?:permission|Forbidden)/.test(message)) {
    return {
      class: 'forbidden',
      what: 'the token may not give a route a certificate of its own',
      remedy: 'grant create and update on routes/custom-host: certificates need it too',
    };
  }
  return (
    refusalIn(message) ?? {
      class: 'invalid',
      what: 'the platform refused the request as invalid',
      remedy: 'change what the message names',
    }
  );
}

/** Proxies answer with pages; one line of their text is enough. */
function excerpt(text: string): string {
  const plain = text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (plain === '') return 'nothing';
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain;
}
