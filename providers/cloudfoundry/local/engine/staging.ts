import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzip } from '../../../../src/lib/archive.ts';
import type { CloudBase } from '../cloud.ts';
import type { BuildRow, DockerImage, DropletRow, PackageRow } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';
import { type Detection, detect } from './detect.ts';
import { dropletFolder, keepDroplet, removeDroplet } from './droplet-files.ts';
import { fetchImage } from './fetch-image.ts';

/** Turns packages into droplets, in the background. */
export interface Staging {
  begin(build: BuildRow, bundle: PackageRow): void;
}

class StagingError extends Error {}

export function createStaging(cloud: CloudBase): Staging {
  const { clock, state } = cloud;

  function say(build: BuildRow, text: string): void {
    cloud.logs.append(clock.now(), {
      appGuid: build.appGuid,
      instance: build.guid,
      sourceType: 'STG',
      stream: 'OUT',
      text,
    });
  }

  async function stage(build: BuildRow, bundle: PackageRow): Promise<DropletRow> {
    say(build, 'Cell creating container for staging');
    const guid = cloud.newId();
    const folder = dropletFolder(cloud, guid);
    await mkdir(folder, { recursive: true });
    try {
      if (bundle.docker === null) await unzip(await readFile(bundle.file), folder);
      else await pull(build, bundle.docker, folder);
      if (cloud.faults.isOn('build-fails')) {
        throw new StagingError('BuildpackCompileFailed - App staging failed in the buildpack compile phase');
      }
      // An image is not looked at: its own command is what its files would be started with.
      const buildpacks = bundle.docker === null ? build.buildpacks : ['none'];
      const detection = await detectIn(folder, buildpacks);
      if (!detection) {
        throw new StagingError(
          'NoAppDetectedError - An app was not successfully detected by any available buildpack',
        );
      }
      if (bundle.docker === null) say(build, `-----> ${detection.buildpack}`);
      for (const [type, command] of Object.entries(detection.processTypes))
        say(build, `       ${type}: ${command}`);
      // No two builds take the same time.
      await clock.sleep(cloud.delays.staging * (0.8 + 0.4 * cloud.random()));
      say(build, 'Uploading droplet...');
      const { buildpack, processTypes } = detection;
      const kept = { buildpack, startCommand: processTypes['web'] ?? '' };
      const checksum = bundle.docker === null ? await keepDroplet(folder, kept) : null;
      return {
        ...newRow(clock, cloud.newId, guid),
        appGuid: build.appGuid,
        state: 'STAGED',
        error: null,
        packageGuid: bundle.guid,
        processTypes: detection.processTypes,
        buildpack: bundle.docker === null ? detection.buildpack : null,
        checksum,
        stack: bundle.docker === null ? build.stack : null,
        image: bundle.docker?.image ?? null,
        folder,
        metadata: emptyMetadata(),
      };
    } catch (error) {
      await removeDroplet(folder);
      throw error;
    }
  }

  async function pull(build: BuildRow, docker: DockerImage, folder: string): Promise<void> {
    const refused = await fetchImage(cloud, docker, folder);
    if (refused === undefined) return;
    say(build, refused);
    throw new StagingError('StagingError - Staging error: staging failed');
  }

  async function run(build: BuildRow, bundle: PackageRow): Promise<void> {
    try {
      const droplet = await stage(build, bundle);
      state.droplets.set(droplet.guid, droplet);
      build.dropletGuid = droplet.guid;
      build.state = 'STAGED';
      say(build, 'Staging complete');
    } catch (error) {
      const known = error instanceof StagingError;
      build.error = known ? error.message : `StagingError - Staging error: ${String(error)}`;
      build.state = 'FAILED';
      say(build, build.error);
    }
    build.updatedAt = clock.now();
  }

  return { begin: (build, bundle) => void run(build, bundle) };
}

async function detectIn(folder: string, buildpacks: readonly string[]): Promise<Detection | undefined> {
  return detect({
    packageJson: await textOf(join(folder, 'package.json')),
    procfile: await textOf(join(folder, 'Procfile')),
    buildpacks,
  });
}

function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
