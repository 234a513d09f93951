import type { ZodType } from 'zod';
import type { PlatformProvider, ProviderDeps } from '../src/core/provider.ts';
import * as cloudfoundryConfig from './cloudfoundry/config.ts';
import * as cloudfoundry from './cloudfoundry/provider.ts';
import * as openshiftConfig from './openshift/config.ts';
import * as openshift from './openshift/provider.ts';
import * as selfhostedConfig from './selfhosted/config.ts';
import * as selfhosted from './selfhosted/provider.ts';
import * as staticConfig from './static/config.ts';
import * as staticOrigins from './static/provider.ts';

interface Registration {
  /** Of the platform's block in sluice.yaml, without `provider`. */
  readonly schema: ZodType;
  /** False for origins that already run: there is nothing to deploy. */
  readonly deploys: boolean;
  create(deps: Omit<ProviderDeps<unknown>, 'options'>, options: unknown): PlatformProvider;
}

/** Every kind of platform, by hand: adding one is a line here and a folder beside this file. */
export const PROVIDERS: Readonly<Record<string, Registration>> = {
  cloudfoundry: register(cloudfoundryConfig.schema, cloudfoundry.createProvider, true),
  openshift: register(openshiftConfig.schema, openshift.createProvider, true),
  selfhosted: register(selfhostedConfig.schema, selfhosted.createProvider, true),
  static: register(staticConfig.schema, staticOrigins.createProvider, false),
};

function register<Options>(
  schema: ZodType<Options>,
  create: (deps: ProviderDeps<Options>) => PlatformProvider,
  deploys: boolean,
): Registration {
  return {
    schema,
    deploys,
    // Decoded once more: settings may have come from another process as plain JSON.
    create: (deps, options) => create({ ...deps, options: schema.parse(options) }),
  };
}
