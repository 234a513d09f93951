import type { Clock, Random } from '../../../src/core/ports.ts';
import { NAMESPACES, RESOURCES, ROLE_BINDINGS, ROLES } from './resources.ts';
import type { Store } from './store.ts';
import type { RoleBinding, Rule } from './types.ts';

export const ANONYMOUS = 'system:anonymous';
export const REQUESTER = 'openshift.io/requester';
/** Whose members may do everything everywhere. */
export const MASTERS = 'system:masters';

/** One act, as rights are written about it. `resource` may have a subresource: `routes/custom-host`. */
export interface Act {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name?: string | undefined;
}

/** Who a request comes from and what they may do. */
export interface Access {
  /** The user behind an Authorization header; ANONYMOUS without one, undefined for one that is not (or no longer) valid. */
  identify(authorization: string | undefined): string | undefined;
  groupsOf(user: string): readonly string[];
  /** A project belongs to who asked for it and to its own service accounts; others may what a RoleBinding gives them. */
  allows(user: string, act: Act): boolean;
  /** What the user may do within a namespace. */
  rulesOf(user: string, namespace: string): readonly Rule[];
  issue(
    user: string,
    options?: {
      readonly lifetimeMs?: number;
      readonly groups?: readonly string[];
      /** Says itself whose it is and when it ends, as those of service accounts do. */
      readonly isBound?: boolean;
    },
  ): string;
}

const EVERYTHING: Rule = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
const EVERY_VIEW = ['get', 'list', 'watch'];
/** What whoever runs the cluster gives a project, and its own people may only look at. */
const ALLOTTED: readonly string[] = ['resourcequotas', 'limitranges'];
const CORE = RESOURCES.filter(({ group, plural }) => group === '' && !ALLOTTED.includes(plural)).flatMap(
  ({ plural, subresources }) => [plural, ...subresources.map(({ name }) => `${plural}/${name}`)],
);
const GROUPS = [...new Set(RESOURCES.map(({ group }) => group))].filter((group) => group !== '');
const WITHIN: readonly Rule[] = [
  { apiGroups: [''], resources: CORE, verbs: ['*'] },
  { apiGroups: [''], resources: [...ALLOTTED], verbs: EVERY_VIEW },
];
const ADMIN: readonly Rule[] = [...WITHIN, { apiGroups: GROUPS, resources: ['*'], verbs: ['*'] }];
/** The cluster roles people bind most, as far as this cluster has what they speak of. */
const CLUSTER_ROLES: Readonly<Record<string, readonly Rule[]>> = {
  'cluster-admin': [EVERYTHING],
  admin: ADMIN,
  edit: [
    ...WITHIN,
    { apiGroups: ['apps', 'batch', 'autoscaling', 'policy'], resources: ['*'], verbs: ['*'] },
    { apiGroups: ['networking.k8s.io', 'discovery.k8s.io'], resources: ['*'], verbs: ['*'] },
    { apiGroups: ['route.openshift.io', 'build.openshift.io'], resources: ['*'], verbs: ['*'] },
    { apiGroups: ['image.openshift.io'], resources: ['*'], verbs: ['*'] },
    { apiGroups: ['project.openshift.io'], resources: ['projects'], verbs: EVERY_VIEW },
  ],
  view: [
    {
      apiGroups: [''],
      resources: ['pods', 'pods/log', 'services', 'configmaps', 'events', 'namespaces', 'resourcequotas'],
      verbs: EVERY_VIEW,
    },
    { apiGroups: ['apps', 'batch', 'autoscaling', 'policy'], resources: ['*'], verbs: EVERY_VIEW },
    { apiGroups: ['route.openshift.io', 'build.openshift.io'], resources: ['*'], verbs: EVERY_VIEW },
    { apiGroups: ['image.openshift.io', 'project.openshift.io'], resources: ['*'], verbs: EVERY_VIEW },
  ],
};

export function createAccess(clock: Clock, random: Random, store: Store): Access {
  const tokens = new Map<string, { user: string; expiresAt: number }>();
  const groups = new Map<string, readonly string[]>();

  function groupsOf(user: string): readonly string[] {
    return groups.get(user) ?? usualGroups(user);
  }

  function isOwner(user: string, namespace: string): boolean {
    if (user.startsWith(`system:serviceaccount:${namespace}:`)) return true;
    const project = store.get(NAMESPACES, undefined, namespace);
    return project?.metadata.annotations?.[REQUESTER] === user;
  }

  function rulesOf(user: string, namespace: string): readonly Rule[] {
    if (groupsOf(user).includes(MASTERS)) return [EVERYTHING];
    if (isOwner(user, namespace)) return ADMIN;
    return store
      .list(ROLE_BINDINGS, namespace)
      .filter((binding) => isBound(binding, user, groupsOf(user)))
      .flatMap(({ roleRef }) =>
        roleRef.kind === 'ClusterRole'
          ? (CLUSTER_ROLES[roleRef.name] ?? [])
          : (store.get(ROLES, namespace, roleRef.name)?.rules ?? []),
      );
  }

  return {
    groupsOf,
    rulesOf,
    identify(authorization) {
      if (authorization === undefined) return ANONYMOUS;
      const token = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
      const known = token === undefined ? undefined : tokens.get(token);
      return known && known.expiresAt > clock.now() ? known.user : undefined;
    },
    allows(user, act) {
      if (groupsOf(user).includes(MASTERS)) return true;
      return act.namespace !== undefined && rulesOf(user, act.namespace).some((rule) => covers(rule, act));
    },
    issue(user, { lifetimeMs = Number.POSITIVE_INFINITY, groups: given, isBound = false } = {}) {
      let secret = '';
      while (secret.length < 43) secret += Math.floor(random() * 36).toString(36);
      const expiresAt = clock.now() + lifetimeMs;
      const token = isBound ? `${claimsOf(user, clock.now(), expiresAt)}.${secret}` : `sha256~${secret}`;
      tokens.set(token, { user, expiresAt });
      if (given) groups.set(user, given);
      return token;
    },
  };
}

/** A JWT without its signature: the secret in its place is what we know it by. */
function claimsOf(user: string, now: number, expiresAt: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const [iat, exp] = [now, expiresAt].map((at) => Math.floor(at / 1_000));
  return `${part({ alg: 'RS256', kid: 'local' })}.${part({ iss: 'https://kubernetes.default.svc', sub: user, iat, exp })}`;
}

function covers(rule: Rule, act: Act): boolean {
  if (!includes(rule.verbs, act.verb) || !includes(rule.apiGroups ?? [], act.group)) return false;
  if (!includes(rule.resources ?? [], act.resource)) return false;
  return rule.resourceNames === undefined || rule.resourceNames.includes(act.name ?? '');
}

function includes(list: readonly string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted);
}

function isBound(binding: RoleBinding, user: string, groups: readonly string[]): boolean {
  return (binding.subjects ?? []).some((subject) => {
    if (subject.kind === 'User') return subject.name === user;
    if (subject.kind === 'Group') return groups.includes(subject.name);
    return user === `system:serviceaccount:${subject.namespace ?? ''}:${subject.name}`;
  });
}

function usualGroups(user: string): string[] {
  if (user === ANONYMOUS) return ['system:unauthenticated'];
  const account = /^system:serviceaccount:([^:]+):/.exec(user);
  return account
    ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`, 'system:authenticated']
    : ['system:authenticated:oauth', 'system:authenticated'];
}
