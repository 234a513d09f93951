import { isoTime } from '../../../src/lib/iso-time.ts';

/** Cloud Foundry's timestamps: UTC, to the second. */
export function timestamp(ms: number): string {
  return `${isoTime(ms).slice(0, 19)}Z`;
}
