import { createHash } from 'node:crypto';
import { createWriteStream, openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FormData } from 'undici';
import { platformError } from '../../src/core/errors.ts';
import type {
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  StagedArtifact,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { Built } from '../../src/core/transfer-power.ts';
import type { Session } from './client.ts';
import { findOwnApp, stagedDroplets } from './find.ts';
import { artifactOf, findOrCreateApp } from './stage.ts';
import { failed, finished, handleOf, next, running } from './status.ts';
import { RELEASE, releaseOf, stamps } from './translate.ts';
import { type Droplet, dropletSchema, fullDropletSchema } from './wire.ts';

/** Those that no upload has reached yet, or that are complete. */
const USABLE = ['STAGED', 'PROCESSING_UPLOAD', 'AWAITING_UPLOAD'];

export async function findBuilt(
  session: Session,
  application: string,
  release: string,
): Promise<StagedArtifact | undefined> {
  const app = await findOwnApp(session, application);
  const staged = app && (await stagedDroplets(session, app.guid)).find((one) => one.release === release);
  return app && staged && artifactOf(app.guid, staged.droplet);
}

/** The droplet's bits; a foundation tells their checksum, and they are held to it. */
export async function takeDroplet(
  session: Session,
  artifact: StagedArtifact,
  folder: string,
): Promise<Built> {
  const guid = artifact.native['droplet'] ?? '';
  const droplet = await session.get(`/v3/droplets/${guid}`, fullDropletSchema);
  const { stack, checksum } = droplet;
  if (!stack || !checksum?.value || !['sha256', 'sha1'].includes(checksum.type)) {
    throw platformError('unsupported', session.platform, 'what was built there cannot be taken elsewhere', {
      why: `droplet ${guid} names no ${stack ? 'checksum that we know' : 'stack'}`,
      remedy: 'leave out `buildOn`',
    });
  }
  const file = join(folder, 'droplet.tgz');
  const hash = createHash(checksum.type);
  await session.download(`/v3/droplets/${guid}/download`, (body) =>
    pipeline(
      Readable.from(body),
      async function* counted(parts: AsyncIterable<Buffer>) {
        for await (const part of parts) {
          hash.update(part);
          yield part;
        }
      },
      createWriteStream(file),
    ),
  );
  const found = hash.digest('hex');
  if (found !== checksum.value) {
    throw platformError('unavailable', session.platform, 'what was built there did not arrive whole', {
      why: `its ${checksum.type} is ${found}, and the platform says ${checksum.value}`,
      remedy: 'deploy again; if it happens again, ask the operator about the blobstore',
    });
  }
  const processTypes = JSON.stringify(droplet.process_types ?? {});
  return { from: session.platform, file, native: { stack, processTypes } };
}

/** Made anew in the application there, with the commands that were found when it was staged. */
export async function giveDroplet(
  session: Session,
  context: ProviderContext,
  want: TargetSpec,
  built: Built,
): Promise<Operation> {
  const app = await findOrCreateApp(session, want);
  const release = want.release.id;
  const handle = handleOf(session.platform, want.application, 'stage', context.now(), {
    app: app.guid,
    release,
  });
  const staged = (await stagedDroplets(session, app.guid)).find((one) => one.release === release);
  if (staged) return finished(handle, { artifact: artifactOf(app.guid, staged.droplet) });
  const stack = app.lifecycle?.data?.stack;
  if (stack !== built.native['stack']) {
    throw platformError('unsupported', session.platform, `what ${built.from} built does not run there`, {
      why: `it was built for the stack ${built.native['stack']}, and the application has ${stack ?? 'none'}`,
      remedy: 'leave out `buildOn` until both foundations have the same stack',
    });
  }
  const labels = { ...stamps(want.application), [RELEASE]: release };
  const droplet = await session.findOrCreate<Droplet>(
    async () => {
      const all = await session.list(`/v3/apps/${app.guid}/droplets`, dropletSchema);
      return all.find((one) => releaseOf(one) === release && USABLE.includes(one.state));
    },
    '/v3/droplets',
    dropletSchema,
    {
      relationships: { app: { data: { guid: app.guid } } },
      process_types: JSON.parse(built.native['processTypes'] ?? '{}'),
      metadata: { labels },
    },
  );
  if (droplet.state === 'AWAITING_UPLOAD') await upload(session, droplet.guid, built.file);
  return { handle: next(handle, { taken: droplet.guid, from: built.from }) };
}

async function upload(session: Session, droplet: string, file: string): Promise<void> {
  const form = new FormData();
  form.set('bits', await openAsBlob(file, { type: 'application/gzip' }), 'droplet.tgz');
  await session.upload(`/v3/droplets/${droplet}/upload`, form);
}

export async function pollGiven(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { taken = '', app = '', from } = handle.native;
  const droplet = await session.find(`/v3/droplets/${taken}`, dropletSchema);
  if (!droplet) return { state: 'lost', message: `droplet ${taken} is gone` };
  switch (droplet.state) {
    case 'STAGED':
      return { state: 'succeeded', artifact: artifactOf(app, droplet) };
    case 'AWAITING_UPLOAD':
      return { state: 'lost', message: 'the upload was interrupted' };
    case 'PROCESSING_UPLOAD':
      return running(handle, context.now(), `the platform processes what ${from} built`);
    default:
      return failed('buildFailed', session.platform, `the platform could not take what ${from} built`, {
        why: droplet.error ?? `the droplet is ${droplet.state}`,
        remedy: 'leave out `buildOn`, or ask the operator about the blobstore',
      });
  }
}
