import { FormData } from 'undici';
import type {
  Bundle,
  Operation,
  OperationHandle,
  OperationStatus,
  ProviderContext,
  StagedArtifact,
  TargetSpec,
} from '../../src/core/provider.ts';
import type { Session } from './client.ts';
import { isNotThere, isStagingInProgress } from './errors.ts';
import { findOwnApp, packagesOf, refuseForeign, stagedDroplets } from './find.ts';
import { imageDigestOf, lifecycleOf, packageOf, refuseOtherLifecycle } from './images.ts';
import { logTail, relayBuildLog, stampOf } from './logs.ts';
import { failed, finished, handleOf, next, running } from './status.ts';
import { RELEASE, releaseOf, stamps } from './translate.ts';
import {
  type App,
  appSchema,
  type Build,
  buildSchema,
  type Droplet,
  dropletSchema,
  type PackageBits,
  packageBitsSchema,
} from './wire.ts';

/** Uploads the bundle as the package of its release, unless that was done before. */
export async function stage(
  session: Session,
  context: ProviderContext,
  want: TargetSpec,
  bundle: Bundle | undefined,
): Promise<Operation> {
  const app = await findOrCreateApp(session, want);
  const release = want.release.id;
  const handle = handleOf(session.platform, want.application, 'stage', context.now(), {
    app: app.guid,
    release,
    ...(want.image === undefined ? {} : { image: want.image.reference }),
    ...(want.release.program === undefined ? {} : { buildpack: PROGRAMS }),
  });
  const staged = (await stagedDroplets(session, app.guid)).find((one) => one.release === release);
  if (staged) return finished(handle, { artifact: artifactOf(app.guid, staged.droplet) });
  const bits = await findOrCreatePackage(session, app, want);
  if (bits.state === 'AWAITING_UPLOAD' && bundle) await upload(session, bits, bundle);
  return { handle: next(handle, { package: bits.guid }) };
}

export async function findOrCreateApp(session: Session, want: TargetSpec): Promise<App> {
  const { application } = want;
  const space = await session.spaceGuid();
  const found = await session.findOrCreate(() => findOwnApp(session, application), '/v3/apps', appSchema, {
    name: application,
    ...lifecycleOf(want),
    relationships: { space: { data: { guid: space } } },
    metadata: { labels: stamps(application) },
  });
  refuseForeign(session.platform, found);
  refuseOtherLifecycle(session.platform, found, want);
  return found;
}

function findOrCreatePackage(session: Session, app: App, want: TargetSpec): Promise<PackageBits> {
  return session.findOrCreate(
    async () => adoptable(await packagesOf(session, app.guid), want.release.id),
    '/v3/packages',
    packageBitsSchema,
    {
      ...packageOf(want),
      relationships: { app: { data: { guid: app.guid } } },
      metadata: { labels: { ...stamps(app.name), [RELEASE]: want.release.id } },
    },
  );
}

/** The package of this release that is furthest; of two equals always the same one. */
function adoptable(packages: readonly PackageBits[], release: string): PackageBits | undefined {
  const order = ['READY', 'PROCESSING_UPLOAD', 'COPYING', 'AWAITING_UPLOAD'];
  return packages
    .filter((one) => releaseOf(one) === release && order.includes(one.state))
    .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.guid.localeCompare(b.guid))[0];
}

async function upload(session: Session, bits: PackageBits, bundle: Bundle): Promise<void> {
  const form = new FormData();
  form.set('resources', '[]');
  form.set(
    'bits',
    new Blob([new Uint8Array(await bundle.zip())], { type: 'application/octet-stream' }),
    'package.zip',
  );
  await session.upload(`/v3/packages/${bits.guid}/upload`, form);
}

export async function pollStage(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
): Promise<OperationStatus> {
  const { app, package: packageGuid, build: buildGuid, release } = handle.native;
  if (!app || !packageGuid || !release) return { state: 'lost', message: 'the stored handle is incomplete' };
  if (!buildGuid) return pollPackage(session, context, handle, packageGuid);
  const found = await session.find(`/v3/builds/${buildGuid}`, buildSchema);
  if (!found) return { state: 'lost', message: `build ${buildGuid} is gone` };
  return pollBuild(session, context, handle, found);
}

async function pollPackage(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
  guid: string,
): Promise<OperationStatus> {
  const bits = await session.find(`/v3/packages/${guid}`, packageBitsSchema);
  if (!bits) return { state: 'lost', message: `package ${guid} is gone` };
  switch (bits.state) {
    case 'AWAITING_UPLOAD':
      return { state: 'lost', message: 'the upload was interrupted; stage again' };
    case 'FAILED':
    case 'EXPIRED':
      return failed('buildFailed', session.platform, 'the platform could not take the uploaded files', {
        why: bits.data?.error ?? `the package is ${bits.state}`,
        remedy: 'deploy again; if it fails again, ask the operator about the blobstore',
      });
    case 'PROCESSING_UPLOAD':
    case 'COPYING':
      return running(handle, context.now(), 'the platform processes the upload');
    case 'READY':
      return startBuild(session, context, handle, guid);
  }
}

/** It takes any files and builds nothing; no foundation chooses it by itself. */
const PROGRAMS = 'binary_buildpack';

function lifecycleFor(buildpack: string | undefined): object {
  return buildpack === undefined
    ? {}
    : { lifecycle: { type: 'buildpack', data: { buildpacks: [buildpack] } } };
}

/** Adopts the build of this package that runs or succeeded; a failed one is not the last word. */
async function startBuild(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
  packageGuid: string,
): Promise<OperationStatus> {
  try {
    const found = await session.findOrCreate<Build>(
      async () => {
        const builds = await buildsOf(session, handle.native['app'] ?? '', packageGuid);
        for (const one of builds) if (await isUsable(session, one)) return one;
        return undefined;
      },
      '/v3/builds',
      buildSchema,
      { package: { guid: packageGuid }, ...lifecycleFor(handle.native['buildpack']) },
    );
    return pollBuild(session, context, next(handle, { build: found.guid }), found);
  } catch (error) {
    if (!isStagingInProgress(error)) throw error;
    return running(handle, context.now(), 'waits for another build of this application to end');
  }
}

/** Korifi lists builds by application only. */
async function buildsOf(session: Session, appGuid: string, packageGuid: string): Promise<readonly Build[]> {
  try {
    return await session.list('/v3/builds', buildSchema, { package_guids: packageGuid });
  } catch (error) {
    if (!isNotThere(error)) throw error;
    const all = await session.list(`/v3/apps/${appGuid}/builds`, buildSchema);
    return all.filter((one) => one.package?.guid === packageGuid);
  }
}

/** Old droplets expire and their bits are removed; the build still says STAGED. */
async function isUsable(session: Session, one: Build): Promise<boolean> {
  if (one.state !== 'STAGED' || !one.droplet) return one.state === 'STAGING';
  const built = await session.find(`/v3/droplets/${one.droplet.guid}`, dropletSchema);
  return built?.state === 'STAGED';
}

const BUILD_FAILED = [
  'the platform could not build the application',
  'correct the source or name a buildpack that fits; the log of the build is below',
] as const;
const PULL_FAILED = [
  'the platform could not fetch the image',
  'does the image exist, may `registry` pull it, and does the platform reach that registry? Its words are below',
] as const;

async function pollBuild(
  session: Session,
  context: ProviderContext,
  handle: OperationHandle,
  found: Build,
): Promise<OperationStatus> {
  const { app = '', release = '', image, log = stampOf(found.created_at) } = handle.native;
  const seen = await relayBuildLog(session, context.log, app, log);
  if (found.state === 'STAGING') {
    const doing = image === undefined ? 'the buildpack builds' : 'the platform looks at the image';
    return running(handle, context.now(), doing, { handle: next(handle, { log: seen }) });
  }
  if (found.state === 'FAILED') {
    const [what, remedy] = image === undefined ? BUILD_FAILED : PULL_FAILED;
    return failed('buildFailed', session.platform, what, {
      why: found.error ?? 'no reason given',
      remedy,
      logTail: await logTail(session, app, { source: 'build', since: handle.startedAt }),
    });
  }
  const built = found.droplet && (await session.find(`/v3/droplets/${found.droplet.guid}`, dropletSchema));
  if (!built) return { state: 'lost', message: `the droplet of build ${found.guid} is gone` };
  if (releaseOf(built) !== release) {
    const labels = { ...stamps(handle.application), [RELEASE]: release };
    await session.patch(`/v3/droplets/${built.guid}`, { metadata: { labels } });
  }
  return { state: 'succeeded', artifact: artifactOf(app, built) };
}

export function artifactOf(app: string, found: Droplet): StagedArtifact {
  const { type, value } = found.checksum ?? {};
  const digest = type && value ? `${type}:${value}` : imageDigestOf(found);
  return {
    ...(digest === undefined ? {} : { digest }),
    native: { app, droplet: found.guid },
  };
}
