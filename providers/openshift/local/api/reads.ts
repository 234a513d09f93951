import type { Cluster } from '../cluster.ts';
import { badRequest, expired, notFound, StatusError } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { groupVersion, type ResourceType } from '../resources.ts';
import { parseFieldSelector, parseLabelSelector } from '../selectors.ts';
import { FIRST_VERSION } from '../store.ts';
import type { KubeObject } from '../types.ts';
import { watch } from '../watch.ts';
import { type Answer, type ApiRequest, ok, type Target } from './http.ts';
import { asTable, wantsTable } from './table.ts';

const DEFAULT_WATCH_SECONDS = 1_800;
const BOOKMARK_SECONDS = 60;

export function existing(cluster: Cluster, target: Target, name: string): KubeObject {
  const found = cluster.store.get(target.type, target.namespace, name);
  if (!found) throw notFound(target.type, name);
  return found;
}

export function shown(cluster: Cluster, request: ApiRequest, type: ResourceType, object: KubeObject): Answer {
  return ok(
    wantsTable(request)
      ? asTable(type, [object], object.metadata.resourceVersion, cluster.clock.now())
      : object,
  );
}

export function matcher(request: ApiRequest): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(request.query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(request.query.get('fieldSelector') ?? '');
  return (object) => labels(object.metadata.labels) && fields(object);
}

export function listObjects(cluster: Cluster, request: ApiRequest, target: Target): Answer {
  const { store } = cluster;
  const { type, namespace } = target;
  if (
    request.query.get('resourceVersionMatch') === 'Exact' &&
    Number(request.query.get('resourceVersion')) < store.oldest
  ) {
    throw expired('The resourceVersion for the provided list is too old.');
  }
  const begun = continueAt(cluster, request);
  const at = begun?.version ?? store.version;
  const version = String(at);
  const all = (begun?.version === undefined ? store.list(type, namespace) : store.listAt(type, namespace, at))
    .filter(matcher(request))
    .filter((object) => begun === undefined || listKey(target, object) >= begun.start);
  const limit = Number(request.query.get('limit') ?? 0) || all.length;
  const page = all.slice(0, limit);
  const left = all.length - page.length;
  const last = page.at(-1);
  if (wantsTable(request)) return ok(asTable(type, page, version, cluster.clock.now()));
  return ok({
    kind: `${type.kind}List`,
    apiVersion: groupVersion(type),
    metadata: {
      resourceVersion: version,
      ...(left > 0 && last
        ? { continue: continueToken(at, `${listKey(target, last)}\0`), remainingItemCount: left }
        : {}),
    },
    items: page.map(asListItem),
  });
}

/** Items do not repeat what the list's own kind says. */
export function asListItem(object: KubeObject): JsonObject {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return rest;
}

/** A list's order: by name, and over all namespaces by namespace first. */
function listKey(target: Target, object: KubeObject): string {
  const { name, namespace } = object.metadata;
  return target.namespace === undefined && namespace !== undefined ? `${namespace}/${name}` : name;
}

function continueToken(version: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start })).toString('base64url');
}

/** Where a list goes on, and in which version of the world; `undefined` for now, when that is forgotten and the client knows. */
function continueAt(
  cluster: Cluster,
  request: ApiRequest,
): { readonly version: number | undefined; readonly start: string } | undefined {
  const token = request.query.get('continue');
  if (!token) return undefined;
  const text = Buffer.from(token, 'base64url').toString('latin1');
  let decoded: Json;
  try {
    decoded = JSON.parse(text);
  } catch {
    const why = `invalid character '${text[0] ?? ''}' looking for beginning of value`;
    throw badRequest(`invalid continue token: continue key is not valid: ${why}`);
  }
  const start = isObject(decoded) ? decoded['start'] : undefined;
  const version = isObject(decoded) ? Number(decoded['rv']) : Number.NaN;
  if (typeof start !== 'string' || Number.isNaN(version)) {
    throw badRequest('invalid continue token: continue key is not valid');
  }
  if (version >= 0 && version < cluster.store.oldest) {
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      continueToken(-1, start),
    );
  }
  return { version: version < 0 ? undefined : version, start };
}

export function isWatch(request: ApiRequest): boolean {
  const wanted = request.query.get('watch');
  return wanted === '1' || wanted === 'true';
}

export function watchObjects(cluster: Cluster, request: ApiRequest, target: Target): Answer {
  const matches = matcher(request);
  const version = request.query.get('resourceVersion');
  const seconds = Number(request.query.get('timeoutSeconds')) || DEFAULT_WATCH_SECONDS;
  const table = wantsTable(request);
  const listening = request.query.get('sendInitialEvents') === 'true';
  return {
    kind: 'stream',
    contentType: 'application/json',
    write(response) {
      if (listening) {
        const refusal = new StatusError(
          500,
          'InternalError',
          'a watch stream was requested by the client but the required storage feature RequestWatchProgress is disabled',
        );
        response.end(`${JSON.stringify({ type: 'ERROR', object: refusal.status })}\n`);
        return;
      }
      // Sent at once, so that the client knows that its watch stands.
      response.flushHeaders();
      let first = true;
      // A connection that leads nowhere since a router between lost it: only a new one hears again.
      let isDeaf = cluster.faults.has('watch-silent');
      const offFault = cluster.onFault((fault) => {
        isDeaf ||= fault === 'watch-silent';
      });
      const stop = watch(
        cluster.store,
        cluster.clock,
        {
          type: target.type,
          namespace: target.namespace,
          // Servers behind the main one, and those of custom resources, remember only what they saw themselves.
          floor: target.type.group.endsWith('.openshift.io') ? FIRST_VERSION : 0,
          since: version === null || version === '' || version === '0' ? undefined : Number(version),
          matches,
          bookmarks:
            request.query.get('allowWatchBookmarks') === 'true' ||
            request.query.get('allowWatchBookmarks') === '1',
          bookmarkEveryMs: Math.max(1_000, BOOKMARK_SECONDS * 1_000 * cluster.speed),
          timeoutMs: seconds * 1_000,
        },
        (event) => {
          if (isDeaf) return;
          const object =
            table && event.type !== 'ERROR' && event.type !== 'BOOKMARK' && isKubeObject(event.object)
              ? asTable(
                  target.type,
                  [event.object],
                  event.object.metadata.resourceVersion,
                  cluster.clock.now(),
                  first,
                )
              : event.object;
          first = false;
          response.write(`${JSON.stringify({ type: event.type, object })}\n`);
        },
        () => {
          if (!isDeaf) response.end();
        },
      );
      response.on('close', () => {
        offFault();
        stop();
      });
    },
  };
}

function isKubeObject(value: JsonObject): value is KubeObject {
  return isObject(value['metadata']) && typeof value['metadata']['name'] === 'string';
}
