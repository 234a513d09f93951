import { z } from 'zod';
import { decode } from '../api-body.ts';
import { type ApiRequest, type ApiRoute, noContent, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { unprocessable } from '../errors.ts';
import type { Destination, RouteRow } from '../state.ts';
import { timestamp } from '../time.ts';
import { findByPath } from './find.ts';

const MOST = 100;
const DEFAULT_PORT = 8080;

const destinationBody = z.strictObject({
  app: z.strictObject({
    guid: z.string(),
    process: z.strictObject({ type: z.string() }).nullish(),
  }),
  port: z.number().int().min(1_024).max(65_535).nullish(),
  protocol: z.enum(['http1', 'http2']).nullish(),
  weight: z.number().int().min(1).max(100).nullish(),
});
const listBody = z.strictObject({ destinations: z.array(destinationBody) });

type Sent = z.infer<typeof destinationBody>;

export function destinationRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { routes, apps } = cloud.state;

  function routeOf(request: ApiRequest): RouteRow {
    return findByPath(routes, request, 'Route');
  }

  function answer(route: RouteRow): ReturnType<typeof ok> {
    const self = `${cloud.urls.api}/v3/routes/${route.guid}`;
    return ok({
      destinations: route.destinations.map(presentDestination),
      links: { self: { href: `${self}/destinations` }, route: { href: self } },
    });
  }

  function changed(route: RouteRow): void {
    route.updatedAt = cloud.clock.now();
    cloud.routeTable.routesChanged();
  }

  function toDestination(sent: Sent): Destination {
    const now = cloud.clock.now();
    return {
      guid: cloud.newId(),
      appGuid: sent.app.guid,
      processType: sent.app.process?.type ?? 'web',
      port: sent.port ?? null,
      protocol: sent.protocol ?? 'http1',
      weight: sent.weight ?? null,
      createdAt: now,
      updatedAt: now,
    };
  }

  function checkApps(sent: readonly Sent[]): void {
    const missing = sent.map((one) => one.app.guid).filter((guid) => !apps.has(guid));
    if (missing.length === 0) return;
    throw unprocessable(
      `App(s) with guid(s) "${missing.join('", "')}" do not exist or you do not have access.`,
    );
  }

  return [
    {
      method: 'GET',
      pattern: '/v3/routes/:guid/destinations',
      handler: (request) => answer(routeOf(request)),
    },
    {
      method: 'POST',
      pattern: '/v3/routes/:guid/destinations',
      handler(request) {
        const route = routeOf(request);
        const sent = decode(listBody, request.body).destinations;
        if (sent.some((one) => one.weight != null)) {
          throw unprocessable('Destinations weight must not be set when inserting destinations');
        }
        if (route.destinations.some((one) => one.weight !== null)) {
          throw unprocessable(
            'Destinations cannot be inserted when there are weighted destinations already configured.',
          );
        }
        checkApps(sent);
        // Mapping what is mapped changes nothing: clients repeat it freely.
        const fresh = sent
          .map(toDestination)
          .filter((one) => !route.destinations.some((had) => same(had, one)));
        if (route.destinations.length + fresh.length > MOST) {
          throw unprocessable(`Routes can be mapped to at most ${MOST} destinations.`);
        }
        route.destinations = [...route.destinations, ...fresh];
        changed(route);
        return answer(route);
      },
    },
    {
      method: 'PATCH',
      pattern: '/v3/routes/:guid/destinations',
      handler(request) {
        const route = routeOf(request);
        const sent = decode(listBody, request.body).destinations;
        checkApps(sent);
        checkWeights(sent);
        const wanted = sent.map(toDestination);
        route.destinations = wanted.map((one) => route.destinations.find((had) => same(had, one)) ?? one);
        changed(route);
        return answer(route);
      },
    },
    {
      method: 'DELETE',
      pattern: '/v3/routes/:guid/destinations/:destination',
      handler(request) {
        const route = routeOf(request);
        const { destination } = request.params;
        const found = route.destinations.find((one) => one.guid === destination);
        if (!found) {
          throw unprocessable(
            'Unable to unmap route from destination. Ensure the route has a destination with this guid.',
          );
        }
        if (found.weight !== null) {
          throw unprocessable('Weighted destinations cannot be deleted individually.');
        }
        route.destinations = route.destinations.filter((one) => one !== found);
        changed(route);
        return noContent();
      },
    },
  ];
}

/** Accepted and checked, and without any effect: the mesh that read weights is gone. */
function checkWeights(sent: readonly Sent[]): void {
  const weights = sent.map((one) => one.weight ?? null);
  if (weights.every((weight) => weight === null)) return;
  if (weights.some((weight) => weight === null)) {
    throw unprocessable('Destinations cannot contain both weighted and unweighted destinations.');
  }
  const sum = weights.reduce<number>((total, weight) => total + (weight ?? 0), 0);
  if (sum !== 100) throw unprocessable('Destinations must have weights that sum to 100.');
}

function same(a: Destination, b: Destination): boolean {
  return (
    a.appGuid === b.appGuid &&
    a.processType === b.processType &&
    (a.port ?? DEFAULT_PORT) === (b.port ?? DEFAULT_PORT) &&
    a.protocol === b.protocol &&
    a.weight === b.weight
  );
}

export function presentDestination(destination: Destination): object {
  return {
    guid: destination.guid,
    created_at: timestamp(destination.createdAt),
    updated_at: timestamp(destination.updatedAt),
    app: { guid: destination.appGuid, process: { type: destination.processType } },
    weight: destination.weight,
    port: destination.port ?? DEFAULT_PORT,
    protocol: destination.protocol,
  };
}
