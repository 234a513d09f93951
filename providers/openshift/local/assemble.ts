import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { untarGz, unzip } from '../../../src/lib/archive.ts';
import type { BuildRun } from './build-runs.ts';
import { type Cluster, delayOf } from './cluster.ts';
import { textAt } from './json.ts';
import type { Build } from './openshift-types.ts';

/** A build that failed, in the words of the real one's status. */
export interface BuildFailure {
  readonly reason: string;
  readonly message: string;
}

/** What source-to-image does with a Node.js source, without a network: unpack, look for package.json, keep the rest. */
export async function assemble(
  cluster: Cluster,
  build: Build,
  run: BuildRun,
  input: Buffer,
  folder: string,
  signal: AbortSignal,
): Promise<BuildFailure | undefined> {
  await mkdir(folder, { recursive: true });
  const isBinary = textAt(build.spec, 'source', 'type') === 'Binary';
  if (isBinary) run.print('Receiving source from STDIN as archive ...');
  const asFile = textAt(build.spec, 'source', 'binary', 'asFile');
  try {
    if (!isBinary) run.print('Sources are not provided');
    else if (asFile !== undefined) await writeFile(join(folder, basename(asFile)), input);
    // A zip begins with PK; tar unpacks with and without gzip.
    else if (input.subarray(0, 2).toString('latin1') === 'PK') await unzip(input, folder);
    else await untarGz(input, folder);
  } catch (error) {
    run.print(
      `error: unable to extract binary build input, must be a zip, tar, or gzipped tar: ${String(error)}`,
    );
    return { reason: 'FetchSourceFailed', message: 'Failed to fetch the input source.' };
  }
  run.print('Generating dockerfile with builder image registry.access.redhat.com/ubi9/nodejs-20:latest');
  run.print('STEP 1/9: FROM registry.access.redhat.com/ubi9/nodejs-20:latest');
  run.print('STEP 8/9: RUN /usr/libexec/s2i/assemble');
  run.print('---> Installing application source');
  await cluster.clock.sleep(delayOf(cluster, 'assemble'), signal);
  const source = join(folder, textAt(build.spec, 'source', 'contextDir') ?? '.');
  const faulty = cluster.faults.has('build-fails');
  if (faulty || !existsSync(join(source, 'package.json'))) {
    run.print('---> Installing all dependencies');
    if (faulty) run.print('npm error the build was told to fail');
    else {
      run.print('npm error code ENOENT');
      run.print('npm error syscall open');
      run.print('npm error path /opt/app-root/src/package.json');
      run.print('npm error enoent Could not read package.json: Error: ENOENT: no such file or directory');
    }
    run.print('error: build error: building at STEP "RUN /usr/libexec/s2i/assemble": exit status 254');
    return { reason: 'AssembleFailed', message: 'Assemble script failed.' };
  }
  run.print('---> Building your Node application from source');
  return undefined;
}
