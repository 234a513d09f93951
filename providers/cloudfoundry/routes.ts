import { platformError } from '../../src/core/errors.ts';
import type { ProviderContext, TargetSpec } from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { type WantedRoute, wantedRoutes } from './translate.ts';
import { type App, type Domain, type Route, routeSchema } from './wire.ts';

/** The domains the space may use, after the one of the default route was found among them. */
export async function checkedDomains(session: Session, domain: string): Promise<readonly Domain[]> {
  const domains = await session.domains();
  if (domains.some((one) => one.name === domain)) return domains;
  throw platformError('notFound', session.platform, `the platform has no domain ${domain}`, {
    why: `it has ${domains.map((one) => one.name).join(', ') || 'none that we may use'}`,
    remedy: `set domain of platform ${session.platform} to one of them`,
  });
}

/** The routes this target needs; public hosts that no domain of the platform fits are told of and left out. */
export async function resolveRoutes(
  session: Session,
  context: ProviderContext,
  want: Pick<TargetSpec, 'application' | 'hosts'>,
  domain: string,
): Promise<readonly WantedRoute[]> {
  const { routes, unknown } = wantedRoutes(want, domain, await checkedDomains(session, domain));
  for (const host of unknown) {
    const text = `no domain here fits ${host}: its requests arrive under the default route's name`;
    context.log({ at: context.now(), source: 'platform', text });
  }
  return routes;
}

/** Makes the routes that are missing and lets them lead to the application. */
export async function ensureRoutes(
  session: Session,
  app: App,
  routes: readonly WantedRoute[],
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const space = await session.spaceGuid();
  for (const wanted of routes) {
    const found = await session.findOrCreate(() => findRoute(session, wanted), '/v3/routes', routeSchema, {
      ...(wanted.host === undefined ? {} : { host: wanted.host }),
      relationships: { domain: { data: { guid: wanted.domainGuid } }, space: { data: { guid: space } } },
      metadata: { labels },
    });
    const others = found.destinations.filter((one) => one.app?.guid !== app.guid);
    if (others.length > 0) throw taken(session.platform, wanted.url, others.length);
    if (found.destinations.length > 0) continue;
    await session.post(`/v3/routes/${found.guid}/destinations`, {
      destinations: [{ app: { guid: app.guid } }],
    });
  }
}

/** By host and domain in all spaces we may see: a route of another space is found here and not made again. */
async function findRoute(session: Session, wanted: WantedRoute): Promise<Route | undefined> {
  const found = await session.list('/v3/routes', routeSchema, {
    domain_guids: wanted.domainGuid,
    hosts: wanted.host ?? '',
  });
  return found.find((one) => (one.path ?? '') === '' && one.url === wanted.url);
}

function taken(platform: string, url: string, others: number) {
  return platformError('conflict', platform, `the route ${url} leads to another application`, {
    why: `it has ${others} destination${others === 1 ? '' : 's'} that Sluice did not make; requests would be split`,
    remedy: `unmap it there (cf unmap-route), or take ${url} out of sluice.yaml`,
  });
}
