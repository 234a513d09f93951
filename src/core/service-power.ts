import type { ApplicationName } from './ids.ts';
import type { Operation, ProviderContext, TargetSpec } from './provider.ts';
import type { ServiceSpec } from './services.ts';

/**
 * Databases and the like. `plan`, `apply` and `trial` put into the environment what `want.services` hand out; a service
 * that is not there yet hands out nothing.
 */
export interface ServicePower {
  /** Makes and binds what is missing. To be called when the release is staged, before it is applied. */
  ensure(context: ProviderContext, want: TargetSpec): Promise<Operation>;
  /**
   * What each of them hands out now, as variables; one that is not there hands out nothing. Undefined while the
   * application is not there, and nobody can say. The values are secret.
   */
  handedOut(
    context: ProviderContext,
    application: ApplicationName,
    services: readonly ServiceSpec[],
  ): Promise<HandedOut | undefined>;
}

/** By service, then by variable. */
export type HandedOut = Readonly<Record<string, Readonly<Record<string, string>>>>;
