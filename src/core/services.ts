import type { PlatformName } from './ids.ts';
import type { MadeService } from './service-power.ts';

/** Where a platform has a service from. Credentials that the file gives are part of the environment already. */
export type ServiceSource =
  /** A Cloud Foundry service instance of our own, made where it is not there yet. */
  | {
      readonly how: 'provision';
      readonly offering: string;
      readonly plan: string;
      /** For the broker; may hold secrets. */
      readonly parameters: Readonly<Record<string, unknown>> | undefined;
      /** For the broker when it is bound, such as where to mount; may hold secrets. */
      readonly bind?: Readonly<Record<string, unknown>>;
    }
  /** There already: a service instance in our Cloud Foundry space, a Secret in our OpenShift namespace. */
  | { readonly how: 'existing'; readonly name: string; readonly bind?: Readonly<Record<string, unknown>> }
  /** A folder that outlives releases: a claim on OpenShift, a folder of the host on one's own machines. */
  | { readonly how: 'volume'; readonly claim?: VolumeClaim }
  /** An OpenShift template, filled in once. */
  | {
      readonly how: 'template';
      readonly name: string;
      /** Undefined: our own. */
      readonly namespace?: string;
      /** May hold secrets. */
      readonly parameters: Readonly<Record<string, string>>;
    };

export interface VolumeClaim {
  readonly sizeBytes: number;
  /** Absolute, in every instance. */
  readonly mount: string;
  readonly accessMode: AccessMode;
  /** Undefined: the cluster's default. */
  readonly storageClass?: string;
}

/** How many nodes may have it at a time: one to write, many to write, many to read only. */
export const ACCESS_MODES = ['ReadWriteOnce', 'ReadWriteMany', 'ReadOnlyMany'] as const;
export type AccessMode = (typeof ACCESS_MODES)[number];

/** What a volume hands out: where it is. */
export const VOLUME_KEY = 'path';

export interface ServiceSettings {
  readonly name: string;
  /** Platforms whose credentials the file gives are not among them. */
  readonly on: Readonly<Record<PlatformName, ServiceSource>>;
}

export interface ServiceSpec {
  readonly name: string;
  readonly source: ServiceSource;
}

/** `DB_URL` for `url` of the service `db`: the same on every platform, whatever the platform itself calls it. */
export function serviceVariable(service: string, key: string): string {
  const words = `${service}_${key.replace(/([a-z0-9])([A-Z])/g, '$1_$2')}`;
  return words.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
}

/** What a service hands out, as variables. What is no text is written as JSON. */
export function serviceVariables(
  service: string,
  credentials: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(credentials)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([key, value]) => [
        serviceVariable(service, key),
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
  );
}

/** Made for services that nobody wants any more. */
export function leftServices(
  made: readonly MadeService[],
  wanted: readonly ServiceSpec[] = [],
): readonly MadeService[] {
  const names = new Set(wanted.map(({ name }) => name));
  return made.filter(({ service }) => !names.has(service));
}
