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
  /** Does it run container images. */
  readonly images: boolean;
  /** Can what it builds be taken to another of its kind. */
  readonly transfers: boolean;
  create(deps: Omit<ProviderDeps<unknown>, 'options'>, options: unknown): PlatformProvider;
}

/** Every kind of platform, by hand: adding one is a line here and a folder beside this file. */
export const PROVIDERS: Readonly<Record<string, Registration>> = {
  cloudfoundry: register(cloudfoundryConfig.schema, cloudfoundry.createProvider, {
    deploys: true,
    images: true,
    transfers: true,
  }),
  openshift: register(openshiftConfig.schema, openshift.createProvider, {
    deploys: true,
    images: true,
    transfers: false,
  }),
  selfhosted: register(selfhostedConfig.schema, selfhosted.createProvider, {
    deploys: true,
    images: false,
    transfers: false,
  }),
  static: register(staticConfig.schema, staticOrigins.createProvider, {
    deploys: false,
    images: false,
    transfers: false,
  }),
};

function register<Options>(
  schema: ZodType<Options>,
  create: (deps: ProviderDeps<Options>) => PlatformProvider,
  can: Pick<Registration, 'deploys' | 'images' | 'transfers'>,
): Registration {
  return {
    schema,
    ...can,
    // Decoded once more: settings may have come from another process as plain JSON.
    create: (deps, options) => create({ ...deps, options: schema.parse(options) }),
  };
}
