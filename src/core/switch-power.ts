import type { ApplicationName } from './ids.ts';
import type { Operation, ProviderContext } from './provider.ts';

/** What is deployed, off, on again, and anew: no other release, no other configuration. */
export interface SwitchPower {
  /**
   * Ends all instances of all its processes; what was deployed stays, and how many there were is remembered there. The
   * caller has seen to it that nobody sends there any more. Stopping what is stopped succeeds.
   */
  stop(context: ProviderContext, application: ApplicationName): Promise<Operation>;
  /** With as many instances as it had. Starting what runs changes nothing. */
  start(context: ProviderContext, application: ApplicationName): Promise<Operation>;
  /**
   * Every instance of a process anew. Those of `web` the platform replaces as it does for a release: new ones take
   * requests before old ones end; where nobody stands before the instances, it refuses. Other processes may end first.
   */
  restart(context: ProviderContext, application: ApplicationName, process: string): Promise<Operation>;
  /**
   * One instance of web anew, where each is an origin of its own: once nobody sends to it. Left out: the platform has
   * a router, and `restart` does it all.
   */
  restartInstance?(
    context: ProviderContext,
    application: ApplicationName,
    instance: string,
  ): Promise<Operation>;
}
