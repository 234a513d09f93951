import type { CloudBase } from './cloud.ts';
import { CloudError } from './errors.ts';
import type { JobRow } from './state.ts';
import { newRow } from './state-rows.ts';

/** Work that is answered with 202 and a Location. */
export interface Jobs {
  /** Runs `work` a little later, which may say that it is POLLING; its failure is the job's, never an exception. Answers the job's URL. */
  start(operation: string, work: (job: JobRow) => Promise<void>, resource?: JobRow['resource']): string;
}

export function createJobs(cloud: CloudBase): Jobs {
  async function run(job: JobRow, work: (job: JobRow) => Promise<void>): Promise<void> {
    try {
      if (cloud.faults.isOn('jobs-fail')) {
        throw new CloudError(
          502,
          150006,
          'CF-BlobstoreUnavailable',
          'Failed to perform operation due to blobstore unavailability.',
        );
      }
      await work(job);
      job.state = 'COMPLETE';
    } catch (error) {
      job.state = 'FAILED';
      job.errors =
        error instanceof CloudError
          ? [...error.errors]
          : [{ code: 10001, title: 'UnknownError', detail: String(error) }];
    }
    job.updatedAt = cloud.clock.now();
  }

  return {
    start(operation, work, resource) {
      const job: JobRow = {
        ...newRow(cloud.clock, cloud.newId),
        operation,
        state: 'PROCESSING',
        errors: [],
        warnings: [],
        resource,
      };
      cloud.state.jobs.set(job.guid, job);
      cloud.clock.after(cloud.delays.job, () => void run(job, work));
      return `${cloud.urls.api}/v3/jobs/${job.guid}`;
    },
  };
}
