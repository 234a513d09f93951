import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mode } from '../../../providers/openshift/local/resources.ts';
import type { PlatformProvider, TargetSpec } from '../../../src/core/provider.ts';
import { type LocalHarness, openLocal } from './local-harness.ts';

const REGISTRY = 'registry.test';

/** A plain Kubernetes (or a MicroShift) whose registry has whatever is to be deployed: it builds nothing itself. */
export interface PlainHarness extends Omit<LocalHarness, 'provider'> {
  provider(more?: { api?: string; token?: string; routeHost?: string }): PlatformProvider;
}

export async function openPlain(mode: Mode = 'kubernetes'): Promise<PlainHarness> {
  const imagesDir = await mkdtemp(join(tmpdir(), 'sluice-registry-'));
  const harness = await openLocal({ mode, imagesDir });
  /** Of each release, as somebody's build pushed it. */
  const images = new Map<string, string>();

  function withImage(want: TargetSpec): TargetSpec {
    const reference = images.get(want.release.id);
    return reference === undefined ? want : { ...want, image: { reference } };
  }

  /** What a bundle would have been built from is an image in the registry, and the provider is given that. */
  function imagesInstead(provider: PlatformProvider): PlatformProvider {
    const { trial, processes, tasks, services } = provider;
    return {
      ...provider,
      plan: (context, want, seen) => provider.plan(context, withImage(want), seen),
      check: async (context, want, seen) => (await provider.check?.(context, withImage(want), seen)) ?? [],
      async stage(context, want, bundle) {
        if (bundle === undefined) return provider.stage(context, want, undefined);
        const reference = `${REGISTRY}/${want.application}@${bundle.digest}`;
        await mkdir(join(imagesDir, REGISTRY), { recursive: true });
        await cp(bundle.root, join(imagesDir, reference), { recursive: true });
        images.set(want.release.id, reference);
        return provider.stage(context, withImage(want), undefined);
      },
      apply: (context, want, artifact) => provider.apply(context, withImage(want), artifact),
      ...(trial && {
        trial: {
          ...trial,
          start: (context, want, artifact) => trial.start(context, withImage(want), artifact),
        },
      }),
      ...(processes && {
        processes: {
          ...processes,
          apply: (context, want, artifact) => processes.apply(context, withImage(want), artifact),
        },
      }),
      ...(tasks && {
        tasks: {
          ...tasks,
          start: (context, want, artifact, task) => tasks.start(context, withImage(want), artifact, task),
        },
      }),
      ...(services && {
        services: { ...services, ensure: (context, want) => services.ensure(context, withImage(want)) },
      }),
    };
  }

  return {
    ...harness,
    provider: (more = {}) =>
      imagesInstead(harness.provider({ routeHost: '{application}.apps.test', ...more })),
    async close() {
      await harness.close();
      await rm(imagesDir, { recursive: true, force: true });
    },
  };
}
