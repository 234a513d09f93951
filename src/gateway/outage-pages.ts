import type { ApplicationName } from '../core/ids.ts';
import type { GatewaySettings } from '../core/settings.ts';

/** A page of the user's own, as it is sent. */
export interface Page {
  readonly type: string;
  readonly body: Uint8Array;
}

/** Found by application and status; what an application has not is taken from those of all. */
export class OutagePages {
  #pages: ReadonlyMap<string, Page> = new Map();

  constructor(settings: GatewaySettings) {
    this.tune(settings);
  }

  tune({ outage = [] }: GatewaySettings): void {
    this.#pages = new Map(
      outage.map(({ application, status, type, text }) => [
        keyOf(application, status),
        { type, body: Buffer.from(text) },
      ]),
    );
  }

  of(application: ApplicationName | undefined, status: number): Page | undefined {
    if (this.#pages.size === 0) return undefined;
    const own = application === undefined ? undefined : this.#pages.get(keyOf(application, status));
    return own ?? this.#pages.get(keyOf(undefined, status));
  }
}

function keyOf(application: ApplicationName | undefined, status: number): string {
  return `${status} ${application ?? ''}`;
}
