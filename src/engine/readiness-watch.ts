import type { DomainEvent } from '../core/events.ts';
import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { Readiness } from '../core/readiness.ts';

/** What comes and goes within this time calls nobody: a read that failed, a start, a rollout. */
const LASTS_MS = 15_000;

/** Calls when an application would not survive a failover, once for each new reason, and tells when it would again. */
export class ReadinessWatch {
  /** Since when each thing has failed. */
  readonly #since = new Map<string, number>();
  readonly #told = new Set<string>();

  next(
    application: ApplicationName,
    found: Readonly<Record<PlatformName, Readiness>>,
    now: number,
  ): readonly DomainEvent[] {
    const failed = new Map<string, string>();
    for (const [platform, checks] of Object.entries(found)) {
      for (const { name, state, detail } of checks)
        if (state === 'failed') failed.set(`${platform} ${name}`, `${platform}: ${detail}`);
    }
    for (const key of this.#since.keys()) if (!failed.has(key)) this.#since.delete(key);
    for (const key of failed.keys()) if (!this.#since.has(key)) this.#since.set(key, now);
    const lasting = [...failed].filter(([key]) => now - (this.#since.get(key) ?? now) >= LASTS_MS);

    const isNew = lasting.some(([key]) => !this.#told.has(key));
    const wasTold = this.#told.size > 0;
    for (const key of this.#told) if (!failed.has(key)) this.#told.delete(key);
    for (const [key] of lasting) this.#told.add(key);
    if (isNew) {
      return [{ type: 'failover.unready', application, reasons: lasting.map(([, reason]) => reason) }];
    }
    return wasTold && this.#told.size === 0 ? [{ type: 'failover.ready', application }] : [];
  }
}
