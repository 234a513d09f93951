import type { ErrorClass } from '../../src/core/errors.ts';

/** What the platform will not change its mind about: its own words, in order, and what to do. Pure. */
export interface Refusal {
  readonly class: ErrorClass;
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

/** A refusal of instances or of anything else that counts; undefined: it is none of those that are known. */
export function refusalIn(message: string): Refusal | undefined {
  return exceeded(message) ?? uncounted(message) ?? beyondLimits(message) ?? unconstrained(message);
}

const EXCEEDED = /exceeded quota: ([^,]+), requested: (.*), used: (.*), limited: ([^\n]*)/;

/** `exceeded quota: q, requested: limits.memory=128Mi,pods=1, used: limits.memory=1Gi,pods=3, limited: …` */
function exceeded(message: string): Refusal | undefined {
  if (!message.includes('exceeded quota')) return undefined;
  const remedy = 'ask for a higher quota (`oc describe quota`), or use fewer or smaller instances';
  const [, quota, ...lists] = EXCEEDED.exec(message) ?? [];
  if (quota === undefined) return { class: 'quota', what: 'a quota is used up', why: message, remedy };
  const [requested = {}, used = {}, limited = {}] = lists.map(amountsIn);
  const lines = Object.keys(requested).map(
    (name) => `${requested[name]} more of ${name}, and ${used[name]} of ${limited[name]} are used`,
  );
  return {
    class: 'quota',
    what: `quota ${quota} is used up`,
    why: `exceeded quota: ${quota}: ${lines.join('; ')}`,
    remedy,
  };
}

function amountsIn(list: string): Record<string, string> {
  const parts = list.split(',').map((part) => part.trim().split('='));
  return Object.fromEntries(parts.map(([name = '', amount = '?']) => [name, amount]));
}

/** `failed quota: q: must specify limits.cpu for: web; requests.cpu for: web` */
function uncounted(message: string): Refusal | undefined {
  const [, quota, what = ''] = /failed quota: ([^:]+): must specify (.*)/.exec(message) ?? [];
  if (quota === undefined) return undefined;
  const names = [...what.matchAll(/([\w.-]+) for:/g)].map(([, name]) => name);
  const counted = names.length === 0 ? what : names.join(', ');
  return {
    class: 'quota',
    what: `quota ${quota} counts what our instances do not name`,
    why: `failed quota: ${quota}: each must say its ${counted}`,
    remedy: 'ask for a LimitRange that gives containers a default of it (`oc describe limitrange`)',
  };
}

const LIMITS =
  /((?:maximum|minimum) \S+ usage per \w+ is [^,.\]]+(?:, but (?:limit|request) is \S+|\. {1,2}No (?:limit|request) is specified)|\S+ max limit to request ratio per \w+ is [^,\]]+, but provided ratio is \S+)/g;

function beyondLimits(message: string): Refusal | undefined {
  const found = [...message.matchAll(LIMITS)].map(([text]) => text.replace(/[\],.]+$/, ''));
  if (found.length === 0) return undefined;
  const isMemory = found.some((text) => text.includes('memory'));
  return {
    class: 'quota',
    what: 'a limit range of the project does not allow instances of this size',
    why: `${found.join('; ')} (\`oc describe limitrange\`)`,
    remedy: isMemory
      ? 'give the application `memory` within these bounds, or ask for others'
      : 'ask for other bounds, or for a default within them: Sluice says how much memory instances need, and nothing else',
  };
}

const CONSTRAINTS = 'unable to validate against any security context constraint';

/**
 * OpenShift lists every constraint it tried. Those that nobody lets us use explain nothing; what the others say against
 * us does.
 */
function unconstrained(message: string): Refusal | undefined {
  if (!message.includes(CONSTRAINTS)) return undefined;
  const list = message.slice(message.indexOf(CONSTRAINTS) + CONSTRAINTS.length).replace(/^: \[|\]$/g, '');
  const said = list
    .split(/, (?=provider |\S*spec\.|\.\w+\[)/)
    .filter((part) => part !== '' && !part.includes('not usable by user or serviceaccount'));
  const common = {
    class: 'forbidden',
    what: 'no security context constraint of the project allows such instances',
  } as const;
  if (said.length === 0) {
    return {
      ...common,
      why: `${CONSTRAINTS}: their service account may use none at all`,
      remedy: 'let it use restricted-v2: `oc adm policy add-scc-to-user restricted-v2 -z default`',
    };
  }
  return { ...common, why: `${CONSTRAINTS}: ${said.join('; ')}`, remedy: remedyFor(said.join(' ')) };
}

function remedyFor(faults: string): string {
  if (/runAsUser|runAsNonRoot|fsGroup|supplementalGroups/.test(faults))
    return 'let the platform choose the user: whoever changes the pods (a webhook, an operator) must not name one; or ask for the constraint nonroot-v2';
  if (/hostPath|hostNetwork|hostPID|hostIPC|host(?:Port| )/i.test(faults))
    return 'nothing of the node may be used there: ask who adds it to the pods, or for a constraint that allows it';
  if (/privileged|allowPrivilegeEscalation|capabilit/i.test(faults))
    return 'instances get no privileges there: ask who adds them to the pods, or for a constraint that allows them';
  return 'ask for a constraint that allows what the reason names (`oc get scc`)';
}
