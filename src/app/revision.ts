import { createHash } from 'node:crypto';
import type { GatewaySettings } from '../core/settings.ts';

/** A short name for gateway settings: the same for equal ones, whichever process asks. Tells nothing of the keys in them. */
export function gatewayRevision(settings: GatewaySettings): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16);
}
