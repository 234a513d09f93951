import { hostname } from './public-host.ts';
import type { CompiledRoute } from './routes.ts';

/** The routes of each host. One and the same host asks nearly always: that answer is kept. */
export class HostIndex {
  readonly #byHost: ReadonlyMap<string, readonly CompiledRoute[]>;
  /** What hosts without a route of their own get. */
  readonly #anyHost: readonly CompiledRoute[];
  #lastHost: string | undefined = undefined;
  #lastRoutes: readonly CompiledRoute[] = [];

  constructor(byHost: ReadonlyMap<string, readonly CompiledRoute[]>, anyHost: readonly CompiledRoute[]) {
    this.#byHost = byHost;
    this.#anyHost = anyHost;
  }

  /** `host` as the client sent it: in any case, with a port or without. */
  routesOf(host: string): readonly CompiledRoute[] {
    if (host !== this.#lastHost) {
      this.#lastRoutes = this.#byHost.get(hostname(host).toLowerCase()) ?? this.#anyHost;
      this.#lastHost = host;
    }
    return this.#lastRoutes;
  }
}
