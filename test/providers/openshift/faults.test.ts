import { systemClock } from '../../../src/lib/clock.ts';
import type { Fault } from '../../../src/lib/faults.ts';
import { activeFaults } from '../../conformance/faults/active-faults.ts';
import { type FaultHarness, faultMatrix } from '../../conformance/faults/matrix.ts';
import { type Json, NAMESPACE, openLocal } from './local-harness.ts';

const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const REPLICA_SETS = `/apis/apps/v1/namespaces/${NAMESPACE}/replicasets`;
const ALL: readonly Fault[] = [
  'api-429',
  'api-429-bare',
  'api-down',
  'build-fails',
  'crash-loop',
  'jobs-fail',
  'quota-exceeded',
  'stuck-pending',
];

faultMatrix('openshift', async (): Promise<FaultHarness> => {
  const harness = await openLocal();
  const { local } = harness;
  const turn = (fault: Fault) => () => local.setFault(fault, true);

  async function turnFor(fault: Fault, ms: number): Promise<void> {
    local.setFault(fault, true);
    await systemClock.sleep(ms);
    local.setFault(fault, false);
  }

  /** `kubectl rollout undo`, while the rollout goes on: the template of the oldest ReplicaSet comes back. */
  async function rollBack(application: string): Promise<void> {
    const sets = await harness.read(`${REPLICA_SETS}?labelSelector=sluice.dev/application=${application}`);
    const oldest = sets.items.reduce((a: Json, b: Json) => (revision(a) < revision(b) ? a : b));
    const { template } = oldest.spec;
    delete template.metadata.labels['pod-template-hash'];
    await harness.patch(`${DEPLOYMENTS}/${application}?fieldManager=kubectl-rollout`, [
      { op: 'replace', path: '/spec/template', value: template },
    ]);
  }

  return {
    provider: (clock) => harness.provider({ clock }),
    calm() {
      for (const fault of ALL) local.setFault(fault, false);
    },
    active: () => activeFaults(local.controlUrl),
    injections: {
      'token refused midway': { at: { staging: turn('api-401-once'), starting: turn('api-401-once') } },
      '429 with Retry-After': { at: { starting: () => turnFor('api-429', 1_500) } },
      '429 without Retry-After': { at: { starting: () => turnFor('api-429-bare', 1_500) } },
      '500 three times': { at: { staging: turn('api-500-thrice'), starting: turn('api-500-thrice') } },
      'upload reset': { before: turn('upload-cut-once') },
      'job failed': { before: turn('jobs-fail') },
      'build failed': { before: turn('build-fails') },
      'crash loop': { variant: 'crashes' },
      quota: { at: { applying: turn('quota-exceeded') } },
      'stuck pending': { before: turn('stuck-pending'), startTimeoutMs: 3_000 },
      'API gone 30 s': { at: { staging: () => turnFor('api-down', 5_000) }, factor: 6 },
      'foreign deployment': { before: turn('stuck-pending'), at: { starting: rollBack } },
    },
    close: harness.close,
  };
});

function revision(set: Json): number {
  return Number(set.metadata.annotations['deployment.kubernetes.io/revision']);
}
