import { SluiceError } from '../../../src/core/errors.ts';
import type { PlatformInfo, ProviderContext } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createDriver } from '../provider-driver.ts';
import type { Endpoint } from './endpoints.ts';
import { openReal } from './open-real.ts';

/** The names that the suite gives to applications, without their prefix. */
const APPLICATIONS = ['nothing', 'runs', 'fails', 'tries', 'hiccups', 'foreign'];
/** A removal on a real platform waits for instances to end. */
const SLOWNESS = 6;

export interface CleanUp {
  readonly removed: readonly string[];
  /** `slc-1a2b-runs: why`. */
  readonly left: readonly string[];
}

/** Removes whatever the suite may have left, also where it was killed in the middle, and looks whether it is gone. */
export async function cleanUp(endpoint: Endpoint, prefix: string): Promise<CleanUp> {
  const removed: string[] = [];
  const left: string[] = [];
  const drive = createDriver({ provider: () => openReal(endpoint), pollMs: 500 }, SLOWNESS);
  for (const name of APPLICATIONS.map((one) => `${prefix}-${one}`)) {
    try {
      const provider = drive.fresh();
      if (!(await provider.observe(drive.context, name)).exists) continue;
      await drive.succeed(provider.destroy(drive.context, name));
      if ((await provider.observe(drive.context, name)).exists) left.push(`${name}: it is still there`);
      else removed.push(name);
    } catch (error) {
      left.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  await drive.close();
  return { removed, left };
}

/** What is verified: version and identity as the endpoint itself tells them. */
export async function describeEndpoint(endpoint: Endpoint): Promise<PlatformInfo | string> {
  const provider = openReal(endpoint);
  const context: ProviderContext = {
    signal: AbortSignal.timeout(60_000),
    now: systemClock.now,
    log: () => undefined,
  };
  try {
    return await provider.describe(context);
  } catch (error) {
    const { message, details } = SluiceError.from(error);
    return [message, details.why, details.remedy].filter(Boolean).join('; ');
  } finally {
    await provider.close();
  }
}
