import type { Cloud } from '../cloud.ts';
import type { AppRow } from '../state.ts';
import { timestamp } from '../time.ts';

export function presentCurrentDroplet(cloud: Cloud, app: AppRow): object {
  const self = `${cloud.urls.api}/v3/apps/${app.guid}`;
  return {
    data: app.dropletGuid === null ? null : { guid: app.dropletGuid },
    links: {
      self: { href: `${self}/relationships/current_droplet` },
      ...(app.dropletGuid === null ? {} : { related: { href: `${self}/droplets/current` } }),
    },
  };
}

export function presentApp(cloud: Cloud, app: AppRow): object {
  const { api } = cloud.urls;
  const self = `${api}/v3/apps/${app.guid}`;
  return {
    guid: app.guid,
    created_at: timestamp(app.createdAt),
    updated_at: timestamp(app.updatedAt),
    name: app.name,
    state: app.state,
    lifecycle:
      app.lifecycle === 'docker'
        ? { type: 'docker', data: {} }
        : { type: 'buildpack', data: { buildpacks: app.buildpacks, stack: app.stack } },
    relationships: {
      space: { data: { guid: app.spaceGuid } },
      current_droplet: { data: app.dropletGuid === null ? null : { guid: app.dropletGuid } },
    },
    metadata: app.metadata,
    links: {
      self: { href: self },
      environment_variables: { href: `${self}/environment_variables` },
      space: { href: `${api}/v3/spaces/${app.spaceGuid}` },
      processes: { href: `${self}/processes` },
      packages: { href: `${self}/packages` },
      current_droplet: { href: `${self}/droplets/current` },
      droplets: { href: `${self}/droplets` },
      tasks: { href: `${self}/tasks` },
      start: { href: `${self}/actions/start`, method: 'POST' },
      stop: { href: `${self}/actions/stop`, method: 'POST' },
      revisions: { href: `${self}/revisions` },
      deployed_revisions: { href: `${self}/revisions/deployed` },
      features: { href: `${self}/features` },
    },
  };
}
