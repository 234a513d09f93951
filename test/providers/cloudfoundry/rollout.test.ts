import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UNDO } from '../../../providers/cloudfoundry/environment.ts';
import { SluiceError } from '../../../src/core/errors.ts';
import type { OperationHandle } from '../../../src/core/provider.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import {
  context,
  listOf,
  refusal,
  type StubAnswer,
  type StubApi,
  type StubHandler,
  stubApi,
} from './stub-api.ts';

let api: StubApi;

beforeEach(async () => {
  api = await stubApi();
});

afterEach(() => api.close());

const want = sampleTarget({ application: 'shop', platform: 'cf-eu', number: 2 });
const artifact = { native: { app: 'app-1', droplet: 'new' } };
const OURS = { labels: { 'sluice.dev/managed-by': 'sluice' } };

function appIs(state: string, metadata: unknown = OURS): StubAnswer {
  const relationships = { current_droplet: { data: { guid: 'old' } } };
  return listOf({ guid: 'app-1', name: 'shop', state, metadata, relationships });
}

const web = {
  guid: 'web-1',
  type: 'web',
  command: 'node old.js',
  instances: 2,
  memory_in_mb: 64,
  health_check: { type: 'http', data: { endpoint: '/healthz', timeout: 10 } },
};

const route = {
  guid: 'route-1',
  host: 'shop',
  path: '',
  url: 'shop.apps.test',
  destinations: [{ guid: 'dest-1', app: { guid: 'app-1' } }],
};

/** An application that runs; `env` is what the platform holds, and follows our patches. */
function runs(env: Record<string, string>, also: StubHandler): void {
  api.handle = (request) => {
    const answer = also(request);
    if (answer) return answer;
    switch (`${request.method} ${request.path}`) {
      case 'GET /v3/apps':
        return appIs('STARTED');
      case 'GET /v3/droplets/new':
        return { body: { guid: 'new', state: 'STAGED' } };
      case 'GET /v3/routes':
        return listOf(route);
      case 'GET /v3/apps/app-1/environment_variables':
        return { body: { var: env } };
      case 'PATCH /v3/apps/app-1/environment_variables': {
        const change: { var: Record<string, string | null> } = JSON.parse(request.body);
        for (const [name, value] of Object.entries(change.var)) {
          if (value === null) delete env[name];
          else env[name] = value;
        }
        return { body: { var: env } };
      }
      case 'GET /v3/apps/app-1/processes':
        return listOf(web);
      case 'GET /v3/apps/app-1/processes/web':
        return { body: web };
      default:
        return request.method === 'PATCH' || request.path.includes('/actions/') ? { body: {} } : undefined;
    }
  };
}

async function caught(call: Promise<unknown>): Promise<SluiceError> {
  const error = await call.catch((thrown: unknown) => thrown);
  if (error instanceof SluiceError) return error;
  throw new Error(`expected an error, got ${JSON.stringify(error)}`);
}

function writes(): string[] {
  return api.seen.filter((line) => !line.startsWith('GET ') && line !== 'POST /login/oauth/token');
}

function rolling(more: Record<string, string> = {}): OperationHandle {
  return {
    platform: 'cf-eu',
    application: 'shop',
    kind: 'apply',
    startedAt: context.now(),
    native: {
      app: 'app-1',
      droplet: 'new',
      release: want.release.id,
      instances: '2',
      startTimeoutMs: '5000',
      mode: 'roll',
      deployment: 'dep-1',
      ...more,
    },
  };
}

function deploymentIs(value: string, reason: string): StubAnswer {
  return {
    body: {
      guid: 'dep-1',
      status: { value, reason },
      droplet: { guid: 'new' },
      previous_droplet: { guid: 'old' },
      new_processes: [{ guid: 'web-2', type: 'web' }],
    },
  };
}

/** Somebody's who does not stamp. */
const THEIRS = {
  guid: 'dep-2',
  status: { value: 'ACTIVE', reason: 'DEPLOYING' },
  droplet: { guid: 'theirs' },
  new_processes: [],
};

const BACK_TO_BEFORE = JSON.stringify({
  release: want.release.id,
  attempt: '1',
  env: { GREETING: 'before' },
  process: {
    command: 'node old.js',
    memoryMb: 64,
    check: { type: 'http', endpoint: '/healthz', timeout: 10 },
  },
});

describe('a rollout', () => {
  it('that the quota forbids leaves environment and process as they were', async () => {
    const env = { GREETING: 'before', OLD: '1' };
    runs(env, ({ method, path }) =>
      `${method} ${path}` === 'POST /v3/deployments'
        ? refusal(422, 'CF-UnprocessableEntity', 'memory space_quota_exceeded for space s.')
        : undefined,
    );
    const error = await caught(api.provider().apply(context, want, artifact));
    expect(error.class).toBe('quota');
    expect(env).toEqual({ GREETING: 'before', OLD: '1' });
    const commands = api.requests
      .filter((request) => request.path === '/v3/processes/web-1' && request.method === 'PATCH')
      .map((request) => (JSON.parse(request.body) as { command: string }).command);
    // The stub never takes a change over, so the way back finds the process as it was.
    expect(commands).toEqual(['node server.js']);
  });

  it('writes the new environment and the way back in one request, before it begins', async () => {
    const env: Record<string, string> = { GREETING: 'before' };
    runs(env, ({ method, path }) =>
      `${method} ${path}` === 'POST /v3/deployments' ? deploymentIs('ACTIVE', 'DEPLOYING') : undefined,
    );
    const { handle } = await api.provider().apply(context, want, artifact);
    expect(env).toMatchObject({ GREETING: 'hello', SLUICE_RELEASE: want.release.id });
    expect(JSON.parse(env[UNDO] ?? '')).toMatchObject({
      release: want.release.id,
      env: { GREETING: 'before', SLUICE_RELEASE: null },
    });
    expect(
      api.seen.filter((line) => line.includes('environment_variables') && line.startsWith('PATCH')),
    ).toHaveLength(1);
    expect(handle.native).toMatchObject({ mode: 'roll', deployment: 'dep-1' });
    // No value goes into what is stored elsewhere.
    expect(JSON.stringify(handle)).not.toContain('hello');
    expect(JSON.stringify(handle)).not.toContain('before');
  });

  it('whose answer is lost is found again, and not begun twice', async () => {
    let begun = 0;
    let made = {};
    runs({}, ({ method, path, body }) => {
      if (`${method} ${path}` === 'POST /v3/deployments') {
        begun++;
        made = {
          ...(deploymentIs('ACTIVE', 'DEPLOYING').body as object),
          metadata: JSON.parse(body).metadata,
        };
        return { cut: true };
      }
      if (path !== '/v3/deployments') return undefined;
      return begun === 0 ? listOf() : listOf(made);
    });
    const { handle } = await api.provider().apply(context, want, artifact);
    expect(begun).toBe(1);
    expect(handle.native['deployment']).toBe('dep-1');
  });

  it('that ended while nobody looked is not begun again', async () => {
    const undo = {
      release: want.release.id,
      attempt: '7',
      env: { GREETING: 'before' },
      process: {
        command: 'node old.js',
        memoryMb: 64,
        check: { type: 'http', endpoint: '/healthz', timeout: 10 },
      },
    };
    const env: Record<string, string> = { ...want.env, [UNDO]: JSON.stringify(undo) };
    const relationships = { current_droplet: { data: { guid: 'new' } } };
    const ended = {
      ...(deploymentIs('FINALIZED', 'DEPLOYED').body as object),
      metadata: { labels: { 'sluice.dev/attempt': '7' } },
    };
    runs(env, ({ method, path, query }) => {
      switch (`${method} ${path}`) {
        case 'GET /v3/apps':
          return listOf({ guid: 'app-1', name: 'shop', state: 'STARTED', metadata: OURS, relationships });
        case 'GET /v3/apps/app-1/processes/web':
          return { body: { ...web, command: 'node server.js' } };
        case 'GET /v3/deployments':
          return query.has('status_values') ? listOf() : listOf(ended);
        case 'GET /v3/processes/web-1/stats':
          return {
            body: { resources: [0, 1].map((index) => ({ index, state: 'RUNNING', routable: true })) },
          };
        default:
          return undefined;
      }
    });
    const provider = api.provider();
    const { handle } = await provider.apply(context, want, artifact);
    expect(writes()).toEqual([]);
    expect(await provider.poll(context, handle)).toMatchObject({ state: 'succeeded' });
    expect(env).toEqual(want.env);
  });

  it('waits until an earlier one is cancelled', async () => {
    let looks = 0;
    runs({}, ({ method, path }) => {
      if (`${method} ${path}` === 'POST /v3/deployments') return deploymentIs('ACTIVE', 'DEPLOYING');
      if (path !== '/v3/deployments') return undefined;
      return ++looks < 2 ? listOf(deploymentIs('ACTIVE', 'CANCELING').body) : listOf();
    });
    await api.provider().apply(context, want, artifact);
    const begun = api.seen.indexOf('POST /v3/deployments');
    expect(api.seen.slice(0, begun).filter((line) => line === 'GET /v3/deployments').length).toBeGreaterThan(
      1,
    );
  });

  it('of somebody else is waited for, and never superseded', async () => {
    let looks = 0;
    runs({}, ({ method, path }) => {
      if (`${method} ${path}` === 'POST /v3/deployments') return deploymentIs('ACTIVE', 'DEPLOYING');
      if (path !== '/v3/deployments') return undefined;
      return ++looks < 3 ? listOf(THEIRS) : listOf();
    });
    await api.provider().apply(context, want, artifact);
    const begun = api.seen.indexOf('POST /v3/deployments');
    expect(api.seen.slice(0, begun).filter((line) => line === 'GET /v3/deployments').length).toBeGreaterThan(
      2,
    );
  });

  it('that another one supersedes is a conflict, and leaves it no environment of ours', async () => {
    const env: Record<string, string> = { GREETING: 'hello', [UNDO]: BACK_TO_BEFORE };
    runs(env, ({ path }) =>
      path === '/v3/deployments/dep-1' ? deploymentIs('FINALIZED', 'SUPERSEDED') : undefined,
    );
    const status = await api.provider().poll(context, rolling());
    expect(status).toMatchObject({ state: 'failed', error: { class: 'conflict' } });
    expect(env).toEqual({ GREETING: 'before' });
  });

  it('whose instances crash is cancelled, and then the environment goes back', async () => {
    const env: Record<string, string> = {
      GREETING: 'hello',
      [UNDO]: BACK_TO_BEFORE,
    };
    let cancelled = false;
    runs(env, ({ method, path }) => {
      switch (`${method} ${path}`) {
        case 'GET /v3/deployments/dep-1':
          return cancelled ? deploymentIs('FINALIZED', 'CANCELED') : deploymentIs('ACTIVE', 'DEPLOYING');
        case 'GET /v3/processes/web-2/stats':
          return { body: { resources: [{ index: 0, state: 'CRASHED', details: 'exited with 1' }] } };
        case 'POST /v3/deployments/dep-1/actions/cancel':
          cancelled = true;
          return { body: {} };
        default:
          return undefined;
      }
    });
    const first = await api.provider().poll(context, rolling());
    expect(first).toMatchObject({ state: 'running' });
    expect(env['GREETING']).toBe('hello');
    // Another process goes on from the handle it was given last, or from the one before.
    for (const handle of [rolling(), first.state === 'running' && first.handle]) {
      if (!handle) throw new Error('no handle for the next phase');
      const again = { ...env };
      const end = await api.provider().poll(context, handle);
      expect(end).toMatchObject({ state: 'failed', error: { class: 'startFailed' } });
      expect(env).toEqual({ GREETING: 'before' });
      Object.assign(env, again);
    }
  });

  it('that was cancelled by somebody else says so', async () => {
    runs({}, ({ path }) =>
      path === '/v3/deployments/dep-1' ? deploymentIs('FINALIZED', 'CANCELED') : undefined,
    );
    const end = await api.provider().poll(context, rolling());
    expect(end).toMatchObject({ state: 'failed', error: { class: 'conflict' } });
  });

  it('is not given up because the platform cannot tell the state of its instances', async () => {
    runs({}, ({ path }) => {
      if (path === '/v3/deployments/dep-1') return deploymentIs('ACTIVE', 'DEPLOYING');
      if (path.startsWith('/v3/processes/web-2/')) return refusal(503, 'CF-InstancesUnavailable', 'no BBS');
      return undefined;
    });
    expect(await api.provider().poll(context, rolling())).toMatchObject({ state: 'running' });
    expect(writes()).toEqual([]);
  }, 15_000);

  it('of a first release that crashes is stopped', async () => {
    runs({}, ({ path }) =>
      path === '/v3/processes/web-1/stats'
        ? { body: { resources: [0, 1].map((index) => ({ index, state: 'CRASHED' })) } }
        : undefined,
    );
    const end = await api.provider().poll(context, rolling({ mode: 'start' }));
    expect(end).toMatchObject({ state: 'failed', error: { class: 'startFailed' } });
    expect(writes()).toEqual(['POST /v3/apps/app-1/actions/stop']);
  });
});

describe('what is not ours', () => {
  it('is never written to: an application of our name', async () => {
    api.handle = ({ method, path }) =>
      `${method} ${path}` === 'GET /v3/apps' ? appIs('STARTED', { labels: {} }) : undefined;
    const provider = api.provider();
    const bundle = await sampleBundle();
    const calls = [
      provider.stage(context, want, bundle),
      provider.apply(context, want, artifact),
      provider.scale(context, 'shop', 9),
      provider.retire(context, 'shop', 'r-0000000000'),
      provider.destroy(context, 'shop'),
    ];
    for (const call of calls) {
      const error = await caught(call);
      expect(error.class).toBe('conflict');
      expect(error.details.remedy).toContain('cf delete shop');
    }
    expect(writes()).toEqual([]);
    await bundle.remove();
  });

  it('is never written to: a route that leads elsewhere', async () => {
    const elsewhere = { ...route, destinations: [{ guid: 'd', app: { guid: 'another' } }] };
    runs({}, ({ method, path }) =>
      `${method} ${path}` === 'GET /v3/routes' ? listOf(elsewhere) : undefined,
    );
    const error = await caught(api.provider().apply(context, want, artifact));
    expect(error.class).toBe('conflict');
    expect(error.details.remedy).toContain('shop.apps.test');
    expect(writes()).toEqual([]);
  });
});

describe('staging', () => {
  it('makes one package although the answer to its making was lost', async () => {
    const bits = {
      guid: 'pkg-1',
      state: 'AWAITING_UPLOAD',
      metadata: { labels: { 'sluice.dev/release': want.release.id } },
    };
    let made = 0;
    runs({}, ({ method, path }) => {
      switch (`${method} ${path}`) {
        case 'POST /v3/packages':
          made++;
          return { cut: true };
        case 'GET /v3/packages':
          return made === 0 ? listOf() : listOf(bits);
        case 'POST /v3/packages/pkg-1/upload':
          return { body: { ...bits, state: 'PROCESSING_UPLOAD' } };
        default:
          return undefined;
      }
    });
    const bundle = await sampleBundle();
    const { handle } = await api.provider().stage(context, want, bundle);
    expect(made).toBe(1);
    expect(handle.native).toMatchObject({ app: 'app-1', package: 'pkg-1', release: want.release.id });
    const upload = api.requests.find((request) => request.path.endsWith('/upload'));
    expect(upload?.body).toContain('name="resources"');
    expect(upload?.body).toContain('filename="package.zip"');
    await bundle.remove();
  });

  it('waits for its turn when another build of the application runs', async () => {
    runs({}, ({ method, path }) => {
      switch (`${method} ${path}`) {
        case 'GET /v3/packages/pkg-1':
          return { body: { guid: 'pkg-1', state: 'READY' } };
        case 'POST /v3/builds':
          return refusal(
            422,
            'CF-StagingInProgress',
            'Only one build can be STAGING at a time per application.',
          );
        default:
          return undefined;
      }
    });
    const handle: OperationHandle = {
      ...rolling(),
      kind: 'stage',
      native: { app: 'app-1', package: 'pkg-1', release: want.release.id },
    };
    const status = await api.provider().poll(context, handle);
    expect(status).toMatchObject({ state: 'running' });
    expect(status.state === 'running' && status.message).toContain('another build');
  });

  it('that the quota forbids is a failed operation with the platform’s words', async () => {
    runs({}, ({ method, path }) => {
      switch (`${method} ${path}`) {
        case 'GET /v3/packages/pkg-1':
          return { body: { guid: 'pkg-1', state: 'READY' } };
        case 'POST /v3/builds':
          return refusal(422, 'CF-UnprocessableEntity', 'organization memory_quota exceeded');
        default:
          return undefined;
      }
    });
    const native = { app: 'app-1', package: 'pkg-1', release: want.release.id };
    const status = await api.provider().poll(context, { ...rolling(), kind: 'stage', native });
    expect(status).toMatchObject({ state: 'failed', error: { class: 'quota' } });
    expect(status.state === 'failed' && status.error.why).toContain('memory_quota');
  });
});
