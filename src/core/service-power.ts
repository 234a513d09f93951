import type { ApplicationName } from './ids.ts';
import type { Operation, ProviderContext, TargetSpec } from './provider.ts';
import type { ServiceSpec } from './services.ts';

/**
 * Databases and the like. `plan`, `apply` and `trial` put into the environment what `want.services` hand out; a service
 * that is not there yet hands out nothing.
 */
export interface ServicePower {
  /**
   * Makes and binds what is missing. To be called when the release is staged, before it is applied, and once more where
   * something has `bind`: only then is that bound, because a handle holds nothing that may be secret.
   */
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
  /**
   * Takes from the application what it holds of services that are not among `want.services`; what was made stays. To be
   * called when nothing but that release is left. Left out: it holds nothing beside its environment.
   */
  unbind?(context: ProviderContext, want: TargetSpec): Promise<Operation>;
  /** What we made for its services and is still there, wanted or not. */
  made(context: ProviderContext, application: ApplicationName): Promise<readonly MadeService[]>;
  /** Removes all of that, with what is in it. To be called once the application is gone. Removing nothing succeeds. */
  remove(context: ProviderContext, application: ApplicationName): Promise<Operation>;
}

export interface MadeService {
  readonly service: string;
  /** `service instance shop-db`, as the platform calls it. */
  readonly what: string;
  /** Who else works with it; it is not removed then. */
  readonly usedBy: readonly string[];
}

/** By service, then by variable. */
export type HandedOut = Readonly<Record<string, Readonly<Record<string, string>>>>;
