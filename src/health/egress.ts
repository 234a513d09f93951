import type { ErrorClass } from '../core/errors.ts';
import type { PlatformName } from '../core/ids.ts';
import type { PlatformSignal, ProbeSignal, SelfSignal } from '../core/signals.ts';

/** After an answer the way out is open for this long. Shorter than it takes probes to bring a platform down. */
const ANSWER_HOLDS_MS = 3_000;
/** Silence older than this says nothing of now. */
const SILENCE_HOLDS_MS = 15_000;

/** Nothing came back at all. A refusal did come back, from wherever; it is no sign that we are cut off. */
const SILENT_PROBES: ReadonlySet<string> = new Set(['timeout', 'unreachable', 'name not found']);
const SILENT_APIS: ReadonlySet<ErrorClass | undefined> = new Set([undefined, 'unavailable', 'timeout']);

interface Heard {
  answeredAt: number;
  silentAt: number;
}

/**
 * Do we reach anything at all? Judged by the platforms themselves and nobody else on the internet: `failing` when of at
 * least two platforms, by every router, origin and API, nothing has come back for three seconds. One silent platform is
 * its own fault.
 */
export class Egress {
  readonly #heard = new Map<PlatformName, Heard>();
  #state: SelfSignal['egress'] | undefined;

  /** The new state, only when it is another one. */
  hear(signal: ProbeSignal | PlatformSignal): SelfSignal | undefined {
    const { platform, at } = signal;
    const heard = this.#heard.get(platform) ?? { answeredAt: 0, silentAt: 0 };
    this.#heard.set(platform, heard);
    if (isSilent(signal)) heard.silentAt = at;
    else heard.answeredAt = at;
    // Calm is the rule, and then there is nothing to compare.
    if (this.#state === 'ok' && heard.answeredAt === at) return undefined;
    const egress = this.#judge(at);
    if (egress === undefined || egress === this.#state) return undefined;
    this.#state = egress;
    const names = [...this.#heard.keys()].join(', ');
    const detail = egress === 'failing' ? `nothing comes back from ${names}` : `${platform} answers`;
    return { kind: 'self', at, egress, detail };
  }

  /** Undefined: nothing can be said, which leaves it as it was. */
  #judge(now: number): SelfSignal['egress'] | undefined {
    const all = [...this.#heard.values()];
    if (all.length >= 2 && all.every((one) => isCut(one, now))) return 'failing';
    return all.some(({ answeredAt, silentAt }) => answeredAt >= silentAt) ? 'ok' : undefined;
  }

  /** Of others nothing more will be heard. */
  keepOnly(platforms: ReadonlySet<PlatformName>): void {
    for (const name of this.#heard.keys()) if (!platforms.has(name)) this.#heard.delete(name);
  }
}

function isCut({ answeredAt, silentAt }: Heard, now: number): boolean {
  return silentAt > answeredAt && now - answeredAt > ANSWER_HOLDS_MS && now - silentAt <= SILENCE_HOLDS_MS;
}

function isSilent(signal: ProbeSignal | PlatformSignal): boolean {
  if (signal.kind === 'probe') return !signal.ok && SILENT_PROBES.has(signal.detail);
  return signal.observation === undefined && SILENT_APIS.has(signal.apiFault);
}
