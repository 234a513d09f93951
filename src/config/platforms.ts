import type { MaintenanceWindow } from '../core/policy-settings.ts';
import type { PlatformSettings } from '../core/settings.ts';
import { decode } from './decode.ts';
import { remedyFor } from './did-you-mean.ts';
import type { ConfigDocument } from './document.ts';
import { type Fault, valueFault } from './fault.ts';
import { platformMaintenanceSchema } from './maintenance-schema.ts';
import { absolute, homeless, type LoadOptions } from './options.ts';
import { isMap, mapAt, type Path } from './path.ts';
import { whyUnreadable } from './references.ts';
import { upstreamSchema } from './upstream-schema.ts';

/** Undefined for a provider nobody knows. */
export function deploys(kind: string, providers: LoadOptions['providers']): boolean | undefined {
  const provider = Object.hasOwn(providers, kind) ? providers[kind] : undefined;
  return provider && (provider.deploys ?? kind !== 'static');
}

/** Undefined for a provider nobody knows. */
export function transfers(kind: string, providers: LoadOptions['providers']): boolean | undefined {
  const provider = Object.hasOwn(providers, kind) ? providers[kind] : undefined;
  return provider && (provider.transfers ?? true);
}

/** Undefined for a provider nobody knows. */
export function runsImages(kind: string, providers: LoadOptions['providers']): boolean | undefined {
  const provider = Object.hasOwn(providers, kind) ? providers[kind] : undefined;
  return provider && (provider.images ?? true);
}

/** Each platform's block, decoded by its own provider. */
export function decodePlatforms(
  root: unknown,
  document: ConfigDocument,
  options: LoadOptions,
): {
  value: Record<string, PlatformSettings>;
  maintenance: readonly MaintenanceWindow[];
  faults: readonly Fault[];
} {
  const maintenance: MaintenanceWindow[] = [];
  const value: Record<string, PlatformSettings> = {};
  const faults: Fault[] = [];
  for (const [name, block] of Object.entries(mapAt(root, ['platforms']))) {
    if (!isMap(block) || typeof block['provider'] !== 'string') continue;
    const { provider, upstream, maintenance: windows, ...rest } = block;
    const path = ['platforms', name];
    if (upstream !== undefined) {
      faults.push(...decode(upstreamSchema, upstream, [...path, 'upstream'], document).faults);
    }
    if (windows !== undefined) {
      const decoded = decode(platformMaintenanceSchema, windows, [...path, 'maintenance'], document);
      faults.push(...decoded.faults);
      if (decoded.ok) maintenance.push(...decoded.value.map((one) => ({ platform: name, ...one })));
    }
    const shape = Object.hasOwn(options.providers, provider) ? options.providers[provider] : undefined;
    if (shape === undefined) {
      faults.push(
        valueFault(
          [...path, 'provider'],
          'no provider has this name',
          remedyFor(provider, Object.keys(options.providers)),
        ),
      );
      continue;
    }
    const authority = readAuthority(rest['ca'], [...path, 'ca'], options);
    if (authority?.fault) faults.push(authority.fault);
    const socket = typeof rest['socket'] === 'string' ? absolute(rest['socket'], options) : undefined;
    const { credentials } = rest;
    const tokenFile =
      isMap(credentials) && typeof credentials['tokenFile'] === 'string'
        ? absolute(credentials['tokenFile'], options)
        : undefined;
    const given = {
      ...rest,
      ...(tokenFile === undefined || !isMap(credentials)
        ? {}
        : { credentials: { ...credentials, tokenFile } }),
      ...(authority?.pem === undefined ? {} : { ca: authority.pem }),
      ...(socket === undefined ? {} : { socket }),
    };
    const decoded = decode(shape.schema, given, path, document);
    faults.push(...decoded.faults);
    if (decoded.ok) value[name] = { name, provider, options: decoded.value };
  }
  return { value, maintenance, faults };
}

/** `ca:` is the PEM text itself or the path of a file that holds it; providers always get the text. */
function readAuthority(
  given: unknown,
  path: Path,
  options: LoadOptions,
): { pem?: string; fault?: Fault } | undefined {
  if (typeof given !== 'string' || given.includes('-----BEGIN')) return undefined;
  const file = absolute(given, options);
  if (file === undefined) return { fault: homeless(path) };
  try {
    const pem = options.read(file);
    if (pem.includes('-----BEGIN CERTIFICATE')) return { pem };
    return {
      fault: valueFault(
        path,
        'this file holds no certificate',
        'it must be PEM: -----BEGIN CERTIFICATE-----',
      ),
    };
  } catch (caught) {
    const summary = `cannot read the certificate: ${whyUnreadable(caught)}`;
    return { fault: valueFault(path, summary, 'correct the path; it starts at the folder of this file') };
  }
}
