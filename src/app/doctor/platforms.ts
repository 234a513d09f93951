import { request } from 'undici';
import type { Clock } from '../../core/ports.ts';
import type { PlatformProvider, ProviderContext } from '../../core/provider.ts';
import type { Settings } from '../../core/settings.ts';
import { formatDuration } from '../../core/units.ts';
import { badly, type Finding, ok } from './finding.ts';

const TIMEOUT_MS = 20_000;
/** Tokens and certificates are judged by the clock; so is who spoke last. */
const ODD_SKEW_MS = 30_000;
const BAD_SKEW_MS = 300_000;

/** Each platform: does it answer, do the credentials hold, may we deploy, is there room, does its clock go as ours does? */
export async function checkPlatforms(
  settings: Settings,
  providers: ReadonlyMap<string, PlatformProvider>,
  clock: Clock,
): Promise<readonly Finding[]> {
  const all = [...providers.values()].map(async (provider) => {
    const findings = await checkPlatform(settings, provider, clock);
    const { api } = (settings.platforms[provider.platform]?.options ?? {}) as { readonly api?: string };
    return api === undefined ? findings : [...findings, ...(await checkClock(provider.platform, api, clock))];
  });
  return (await Promise.all(all)).flat();
}

async function checkPlatform(
  settings: Settings,
  provider: PlatformProvider,
  clock: Clock,
): Promise<readonly Finding[]> {
  const where = `platform ${provider.platform}`;
  const over = new AbortController();
  const stop = clock.after(TIMEOUT_MS, () => over.abort());
  const context: ProviderContext = { signal: over.signal, now: () => clock.now(), log() {} };
  try {
    const { kind, apiVersion, identity } = await provider.describe(context);
    const findings = [ok(where, `${kind} ${apiVersion}, logged in as ${identity}`)];
    for (const { name, targets } of Object.values(settings.applications)) {
      if (!targets.some(({ platform }) => platform === provider.platform)) continue;
      findings.push(room(where, name, (await provider.observe(context, name)).quotaHeadroom));
    }
    return findings;
  } catch (caught) {
    if (!over.signal.aborted) return [badly(where, caught)];
    const remedy = 'look at it, and at the network between';
    return [{ level: 'bad', where, what: `no answer in ${TIMEOUT_MS / 1_000} s`, remedy }];
  } finally {
    stop();
  }
}

export function room(where: string, application: string, headroom: number | undefined): Finding {
  if (headroom === undefined) return ok(where, `${application} can be read`);
  if (headroom > 0) return ok(where, `${application} can be read; room for ${headroom} more instances`);
  return {
    ...{ level: 'warning', where, what: `there is no room for one more instance of ${application}` },
    why: 'its quota is used up: a rolling deployment and a failover need more',
    remedy: 'raise the quota there, or remove something',
  };
}

/** By the Date of any answer, whatever it says. */
async function checkClock(platform: string, api: string, clock: Clock): Promise<readonly Finding[]> {
  const asked = clock.now();
  // Only the field matters, not who answers; a certificate that we cannot check was found above.
  const answer = await request(api, { method: 'HEAD', headersTimeout: 5_000 }).catch(() => undefined);
  const date = Date.parse(String(answer?.headers['date'] ?? ''));
  await answer?.body.dump().catch(() => undefined);
  return Number.isNaN(date) ? [] : [skew(platform, date - (asked + clock.now()) / 2)];
}

/** `ms`: theirs minus ours; Date counts whole seconds. */
export function skew(platform: string, ms: number): Finding {
  const where = `clock of ${platform}`;
  const off = Math.abs(ms);
  if (off < ODD_SKEW_MS) return ok(where, 'goes as ours does');
  return {
    level: off < BAD_SKEW_MS ? 'warning' : 'bad',
    where,
    what: `is ${formatDuration(off)} ${ms > 0 ? 'ahead of' : 'behind'} ours`,
    why: 'tokens, certificates and the order of logs go by the clock',
    remedy: 'let both follow NTP',
  };
}
