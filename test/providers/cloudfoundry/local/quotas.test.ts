import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, type Foundation, type Json, shop, startFoundation } from './foundation.ts';

describe('quotas', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  let app: Json;
  let space: string;
  let organization: string;
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
    app = await foundation.push('shop', shop('v1'));
    space = await foundation.spaceGuid();
    organization = (await call('GET', `/v3/spaces/${space}`)).body.relationships.organization.data.guid;
  });
  afterAll(() => foundation.close());

  /** The space's quota, and nothing else, for as long as `look` takes. */
  async function within<T>(limits: object, look: () => Promise<T>): Promise<T> {
    const relationships = {
      organization: { data: { guid: organization } },
      spaces: { data: [{ guid: space }] },
    };
    const { body } = await call('POST', '/v3/space_quotas', { name: 'tight', ...limits, relationships });
    try {
      return await look();
    } finally {
      await foundation.job(await call('DELETE', `/v3/space_quotas/${body.guid}`));
    }
  }

  function detail(answer: Answer): string {
    expect(answer.status).toBe(422);
    return answer.body.errors[0].detail;
  }

  function scale(wish: object): Promise<Answer> {
    return call('POST', `/v3/processes/${app.guid}/actions/scale`, wish);
  }

  it('of a space refuse memory, instances and large processes, and let go what needs no more', async () => {
    await within(
      { apps: { total_memory_in_mb: 1500, per_process_memory_in_mb: 1200, total_instances: 3 } },
      async () => {
        expect(detail(await scale({ instances: 2 }))).toBe('memory space_quota_exceeded');
        expect(detail(await scale({ memory_in_mb: 1300 }))).toBe(
          'memory space_instance_memory_limit_exceeded',
        );
        expect((await scale({ instances: 1 })).status).toBe(202);
        const relationships = { app: { data: { guid: app.guid } } };
        expect(detail(await call('POST', '/v3/deployments', { relationships }))).toBe(
          "memory space_quota_exceeded for space dev. This space's quota may not be large enough to support rolling deployments or your configured max-in-flight.",
        );
        expect(
          detail(await call('POST', `/v3/apps/${app.guid}/tasks`, { command: 'true', memory_in_mb: 600 })),
        ).toBe('memory space_quota_exceeded');
      },
    );
    expect((await scale({ instances: 2 })).status).toBe(202);
    await scale({ instances: 1 });
    await within({ apps: { total_instances: 1 } }, async () => {
      expect(detail(await scale({ instances: 2 }))).toContain('space_app_instance_limit_exceeded');
    });
  });

  it('of an organization count all its spaces, and staging', async () => {
    const quota = await call('POST', '/v3/organization_quotas', {
      name: 'small',
      apps: { total_memory_in_mb: 1100 },
    });
    const apply = `/v3/organization_quotas/${quota.body.guid}/relationships/organizations`;
    const applied = await call('POST', apply, { data: [{ guid: organization }] });
    expect(applied.body.data).toEqual([{ guid: organization }]);
    expect(detail(await scale({ instances: 2 }))).toBe('memory quota_exceeded');
    const packages = await call('GET', `/v3/apps/${app.guid}/packages?states=READY`);
    const build = await call('POST', '/v3/builds', { package: { guid: packages.body.resources[0].guid } });
    expect(detail(build)).toBe("organization's memory limit exceeded: staging requires 1024M memory");
    const raised = await call('PATCH', `/v3/organization_quotas/${quota.body.guid}`, {
      apps: { total_memory_in_mb: null },
    });
    expect(raised.body.apps.total_memory_in_mb).toBeNull();
    expect((await scale({ instances: 2 })).status).toBe(202);
    const used = await call('DELETE', `/v3/organization_quotas/${quota.body.guid}`);
    expect(detail(used)).toContain('applied to one or more organizations');
  });

  it('refuse routes, services, keys and tasks beyond their number', async () => {
    await within(
      { routes: { total_routes: 1 }, services: { total_service_instances: 0 }, apps: { per_app_tasks: 1 } },
      async () => {
        const second = await foundation.mapRoute(app.guid, 'second');
        expect(second.errors[0].detail).toBe("Routes quota exceeded for space 'dev'.");
        const plans = await call('GET', '/v3/service_plans?names=small');
        const relationships = {
          space: { data: { guid: space } },
          service_plan: { data: { guid: plans.body.resources[0].guid } },
        };
        const ordered = await call('POST', '/v3/service_instances', {
          type: 'managed',
          name: 'db',
          relationships,
        });
        expect(detail(ordered)).toBe("You have exceeded your space's services limit.");
        const first = await call('POST', `/v3/apps/${app.guid}/tasks`, { command: 'sleep 60' });
        expect(first.status).toBe(202);
        const next = await call('POST', `/v3/apps/${app.guid}/tasks`, { command: 'true' });
        expect(detail(next)).toBe('app_task_limit quota_exceeded');
        await call('POST', `/v3/tasks/${first.body.guid}/actions/cancel`);
      },
    );
  });
});
