import { PROVIDERS } from '../../../providers/registry.ts';
import type { PlatformProvider } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import type { Endpoint } from './endpoints.ts';

/** Of every application and every report: what the platform is called here. */
export function platformOf(endpoint: Endpoint): string {
  return `real-${endpoint.kind}`;
}

export function openReal(
  endpoint: Endpoint,
  change: Readonly<Record<string, unknown>> = {},
): PlatformProvider {
  const registration = PROVIDERS[endpoint.kind];
  if (!registration) throw new Error(`there is no provider ${endpoint.kind}`);
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger };
  return registration.create({ platform: platformOf(endpoint), ...deps }, { ...endpoint.options, ...change });
}
