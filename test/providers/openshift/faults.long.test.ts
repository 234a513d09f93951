import { localFaults } from '../../conformance/faults/local-faults.ts';
import { type FaultHarness, faultMatrix } from '../../conformance/faults/matrix.ts';
import { type Json, NAMESPACE, openLocal } from './local-harness.ts';

const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const REPLICA_SETS = `/apis/apps/v1/namespaces/${NAMESPACE}/replicasets`;

faultMatrix('openshift', async (): Promise<FaultHarness> => {
  const harness = await openLocal();
  const { local } = harness;
  const faults = localFaults(local);

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
    active: faults.active,
    calm: faults.calm,
    injections: {
      ...faults.injections,
      'foreign deployment': { before: faults.turn('stuck-pending'), at: { starting: rollBack } },
    },
    close: harness.close,
  };
});

function revision(set: Json): number {
  return Number(set.metadata.annotations['deployment.kubernetes.io/revision']);
}
