import { createHash } from 'node:crypto';
import type { Random } from '../core/ports.ts';
import type { GatewaySettings } from '../core/settings.ts';
import { AddressRanges } from './client-address.ts';
import { PSEUDONYM } from './headers.ts';
import { identify } from './identity.ts';
import { RequestIds } from './request-ids.ts';
import { RequestRecord } from './request-record.ts';
import { FLAG } from './response-flags.ts';
import type { Refusal, RequestHead } from './wire.ts';

const NO_HEAD: Omit<RequestHead, 'peer'> = {
  method: '-',
  protocol: '-',
  target: '-',
  host: '',
  bodyLength: 0,
  upgrade: undefined,
  headers: [],
  field: () => undefined,
};

/** Opens the record of a request: who sends it, under which ids it goes on, and by which name we recognise it. */
export class Reception {
  readonly #ids: RequestIds;
  readonly #fallback: string;
  #trusted: AddressRanges;
  #via: string;

  constructor(settings: GatewaySettings, random: Random) {
    this.#fallback = ((random() * 0x1_0000_0000) >>> 0).toString(16).padStart(8, '0');
    this.#trusted = new AddressRanges(settings.trustedProxies);
    this.#via = viaOf(settings, this.#fallback);
    this.#ids = new RequestIds(random, this.#via);
  }

  /** Our element of Via. */
  get via(): string {
    return this.#via;
  }

  tune(settings: GatewaySettings): void {
    this.#trusted = new AddressRanges(settings.trustedProxies);
    this.#via = viaOf(settings, this.#fallback);
    this.#ids.tune(this.#via);
  }

  receive(head: RequestHead, now: number): RequestRecord {
    return new RequestRecord(head, identify(head, this.#trusted), this.#ids.marks(head), now);
  }

  /** Of what a wire could not read as a request. */
  refuse({ peer, status }: Refusal, now: number): RequestRecord {
    const record = this.receive({ ...NO_HEAD, peer }, now);
    record.status = status;
    record.complete = true;
    record.endedAt = now;
    record.flags = status === 408 ? FLAG.DT : FLAG.DPE;
    return record;
  }
}

/**
 * The pseudonym of a fleet (RFC 9110 §7.6.3): all workers and replicas that share a key are one gateway to a request
 * that goes round, and two fleets behind each other are two. Without that key the workers of one replica are one, by
 * what they share until it is started again. The name tells nothing of the key.
 */
function viaOf({ affinityKey, ticketKeys }: GatewaySettings, fallback: string): string {
  const key = affinityKey ?? ticketKeys;
  const name =
    key === undefined ? fallback : createHash('sha256').update(`sluice via ${key}`).digest('hex').slice(0, 8);
  return `1.1 ${PSEUDONYM}-${name}`;
}
