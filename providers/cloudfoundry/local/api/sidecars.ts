import { z } from 'zod';
import { decode } from '../api-body.ts';
import { type ApiRoute, created, noContent, ok } from '../api-types.ts';
import type { SidecarRow } from '../app-state.ts';
import type { Cloud } from '../cloud.ts';
import { unprocessable } from '../errors.ts';
import { type ListOptions, listPage, listQuery } from '../pagination.ts';
import { newRow } from '../state-rows.ts';
import { timestamp } from '../time.ts';
import { readOneRoute } from './collection.ts';
import { findByPath } from './find.ts';

const createBody = z.strictObject({
  name: z.string().min(1),
  command: z.string().min(1),
  process_types: z.array(z.string()).min(1),
  memory_in_mb: z.number().int().min(1).nullish(),
});

/** Commands that run beside a process in each of its instances, from its next start on. */
export function sidecarRoutes(cloud: Cloud): readonly ApiRoute[] {
  const { state, urls } = cloud;
  const rows = state.sidecars;
  const list: ListOptions<SidecarRow> = { filters: {}, present: presentSidecar };

  function ownOf(appGuid: string): SidecarRow[] {
    return [...rows.values()].filter((row) => row.appGuid === appGuid);
  }

  function checkName(appGuid: string, name: string, own?: SidecarRow): void {
    if (ownOf(appGuid).some((row) => row !== own && row.name === name)) {
      throw unprocessable(`Sidecar with name '${name}' already exists for given app`);
    }
  }

  return [
    readOneRoute({ path: '/v3/sidecars', resource: 'Sidecar', rows, list }),
    {
      method: 'GET',
      pattern: '/v3/apps/:guid/sidecars',
      query: listQuery(list),
      handler(request) {
        const app = findByPath(state.apps, request, 'App');
        return ok(listPage(request, urls.api, ownOf(app.guid), list));
      },
    },
    {
      method: 'GET',
      pattern: '/v3/processes/:guid/sidecars',
      query: listQuery(list),
      handler(request) {
        const { appGuid, type } = findByPath(state.processes, request, 'Process');
        const beside = ownOf(appGuid).filter((row) => row.processTypes.includes(type));
        return ok(listPage(request, urls.api, beside, list));
      },
    },
    {
      method: 'POST',
      pattern: '/v3/apps/:guid/sidecars',
      handler(request) {
        const app = findByPath(state.apps, request, 'App');
        const body = decode(createBody, request.body);
        checkName(app.guid, body.name);
        const row: SidecarRow = {
          ...newRow(cloud.clock, cloud.newId),
          appGuid: app.guid,
          name: body.name,
          command: body.command,
          processTypes: body.process_types,
          memoryMb: body.memory_in_mb ?? null,
        };
        rows.set(row.guid, row);
        return created(presentSidecar(row));
      },
    },
    {
      method: 'PATCH',
      pattern: '/v3/sidecars/:guid',
      handler(request) {
        const row = findByPath(rows, request, 'Sidecar');
        const body = decode(createBody.partial(), request.body);
        if (body.name !== undefined) checkName(row.appGuid, body.name, row);
        row.name = body.name ?? row.name;
        row.command = body.command ?? row.command;
        row.processTypes = body.process_types ?? row.processTypes;
        row.memoryMb = body.memory_in_mb ?? row.memoryMb;
        row.updatedAt = cloud.clock.now();
        return ok(presentSidecar(row));
      },
    },
    {
      method: 'DELETE',
      pattern: '/v3/sidecars/:guid',
      handler(request) {
        rows.delete(findByPath(rows, request, 'Sidecar').guid);
        return noContent();
      },
    },
  ];
}

/** As a revision shows it. */
export function presentSidecarOf(row: SidecarRow): object {
  return {
    name: row.name,
    command: row.command,
    process_types: row.processTypes,
    memory_in_mb: row.memoryMb,
  };
}

function presentSidecar(row: SidecarRow): object {
  return {
    guid: row.guid,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    ...presentSidecarOf(row),
    origin: 'user',
    relationships: { app: { data: { guid: row.appGuid } } },
  };
}
