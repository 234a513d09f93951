import { platformError } from '../../src/core/errors.ts';
import type {
  ObservedOrigin,
  Operation,
  OperationHandle,
  PlatformProvider,
  ProviderContext,
  ProviderDeps,
  StagedArtifact,
} from '../../src/core/provider.ts';
import type { Options } from './config.ts';

/** Origins that run already, whoever runs them. There is nothing to deploy, and nobody to ask: probes tell. */
export function createProvider(deps: ProviderDeps<Options>): PlatformProvider {
  const { platform, options } = deps;
  const origins = options.origins.map((url) => originOf(url, options));

  /** What the deployment asks for is so already: what runs there is not ours to change. */
  async function nothingToDo(
    context: ProviderContext,
    kind: OperationHandle['kind'],
    application: string,
    artifact?: StagedArtifact,
  ): Promise<Operation> {
    const handle: OperationHandle = {
      platform,
      application,
      kind,
      native: {},
      startedAt: context.now(),
    };
    const message = 'static origins are not deployed to';
    return { handle, done: { state: 'succeeded', message, ...(artifact === undefined ? {} : { artifact }) } };
  }

  return {
    kind: 'static',
    platform,

    async describe() {
      return {
        kind: 'static',
        apiVersion: 'none',
        identity: 'nobody: static origins have no API',
        capabilities: {
          sideBySide: false,
          hostHeader: options.hostHeader === undefined ? 'any' : 'must-match',
        },
      };
    },

    async observe(context) {
      return {
        at: context.now(),
        apiLatencyMs: 0,
        exists: true,
        releases: [],
        serving: undefined,
        // Nobody tells of instances: a number here would read as so many missing.
        instances: [],
        desired: 0,
        origins,
        env: {},
        foreign: [],
      };
    },

    async plan() {
      return [];
    },

    stage: (context, want) => nothingToDo(context, 'stage', want.application, { native: {} }),
    apply: (context, want) => nothingToDo(context, 'apply', want.application),
    retire: (context, application) => nothingToDo(context, 'retire', application),
    destroy: (context, application) => nothingToDo(context, 'destroy', application),

    async scale(context, application, instances) {
      if (instances === origins.length) return nothingToDo(context, 'scale', application);
      // Succeeding would tell a failover that capacity is on its way.
      throw platformError('unsupported', platform, 'static origins cannot be scaled', {
        why: `there are ${origins.length}, asked for ${instances}`,
        remedy: `start more by hand and add them to \`origins\` of ${platform}`,
      });
    },

    async poll() {
      return { state: 'succeeded', message: 'static origins are not deployed to' };
    },

    async close() {},
  };
}

function originOf(url: string, { hostHeader, ca }: Options): ObservedOrigin {
  if (!url.startsWith('https:')) return { url, hostHeader };
  const trust = ca === undefined ? {} : { ca };
  return { url, hostHeader, ...(hostHeader === undefined ? {} : { sni: hostnameOf(hostHeader) }), ...trust };
}

function hostnameOf(host: string): string {
  return host.replace(/:\d+$/, '');
}
