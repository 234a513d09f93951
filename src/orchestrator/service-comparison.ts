import type { ApplicationName, PlatformName } from '../core/ids.ts';
import type { PlanCheck, PlatformProvider, ProviderContext } from '../core/provider.ts';
import { type ComparedService, type Digests, serviceFaults } from '../core/service-equality.ts';
import type { ApplicationSettings } from '../core/settings.ts';
import { valueDigest } from './release-identity.ts';
import { servicesOn } from './target-spec.ts';

export interface ComparisonDeps {
  readonly providers: ReadonlyMap<PlatformName, PlatformProvider>;
  /** HMAC key of this installation: what is compared, kept or told are digests. */
  readonly hashKey: string;
}

/**
 * What services hand out on each platform, and what of it is missing or another than elsewhere. Values are digested as
 * soon as they were read. A platform that does not answer, or where the application is not, is not among them.
 */
export async function compareServices(
  { providers, hashKey }: ComparisonDeps,
  application: ApplicationSettings,
  platforms: readonly PlatformName[],
  context: ProviderContext,
): Promise<Readonly<Record<PlatformName, readonly string[]>>> {
  const { comparedServices: compared = [] } = application;
  if (compared.length === 0) return {};
  const read = async (platform: PlatformName) =>
    [platform, await digestsOn(platform).catch(() => undefined)] as const;

  async function digestsOn(platform: PlatformName): Promise<Digests[PlatformName]> {
    const found: Record<string, Readonly<Record<string, string>>> = {};
    for (const { name, given } of compared) {
      const own = given[platform];
      if (own !== undefined) found[name] = digested(own, hashKey);
    }
    const names = new Set(askedOn(compared, platform));
    const services = (servicesOn(application, platform).services ?? []).filter(({ name }) => names.has(name));
    if (services.length === 0) return found;
    const power = providers.get(platform)?.services;
    const handed = await power?.handedOut(context, application.name, services);
    if (handed === undefined) return undefined;
    for (const [name, values] of Object.entries(handed)) found[name] = digested(values, hashKey);
    return found;
  }

  return serviceFaults(compared, Object.fromEntries(await Promise.all(platforms.map(read))));
}

function askedOn(compared: readonly ComparedService[], platform: PlatformName): readonly string[] {
  return compared.filter(({ asked }) => asked.includes(platform)).map(({ name }) => name);
}

function digested(values: Readonly<Record<string, string>>, key: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).map(([variable, value]) => [variable, valueDigest(value, key)]),
  );
}

/** For `sluice plan`: what a person should know, and what no deployment has to fail for. */
export function comparisonChecks(
  application: ApplicationName,
  faults: readonly string[] | undefined,
): readonly PlanCheck[] {
  if (faults === undefined) return [];
  if (faults.length === 0)
    return [{ what: `services of ${application}`, found: 'hand out what those of other platforms do' }];
  return faults.map((found) => ({ what: 'services', found, notice: true as const }));
}
