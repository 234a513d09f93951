import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { replicasFor } from '../../../providers/openshift/autoscaler.ts';
import { bounded } from '../../../providers/openshift/local/controllers/autoscaler.ts';
import { autoscalerSchema, deploymentSchema } from '../../../providers/openshift/wire.ts';
import type { Bundle } from '../../../src/core/provider.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createDriver, type Driver } from '../../conformance/provider-driver.ts';
import { sampleBundle, sampleTarget } from '../../support/sample-app.ts';
import { type LocalHarness, NAMESPACE, openLocal, PLATFORM } from './local-harness.ts';

const AUTOSCALERS = `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers`;
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/elastic`;

function autoscaler(minReplicas: number, maxReplicas: number): object {
  return {
    metadata: { name: 'elastic' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'elastic' },
      minReplicas,
      maxReplicas,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ],
    },
  };
}

describe('beside an autoscaler', () => {
  let harness: LocalHarness;
  let drive: Driver;
  let bundle: Bundle & { remove(): Promise<void> };

  beforeAll(async () => {
    harness = await openLocal();
    drive = createDriver({ provider: () => harness.provider() });
    bundle = await sampleBundle('ok');
  });
  afterAll(async () => {
    await drive.close();
    await bundle.remove();
    await harness.close();
  });

  async function replicasAre(wanted: number): Promise<void> {
    const end = systemClock.monotonic() + 8_000;
    for (;;) {
      const { spec } = await harness.read(DEPLOYMENT);
      if (spec.replicas === wanted) return;
      if (systemClock.monotonic() > end) throw new Error(`there are ${spec.replicas} replicas`);
      await systemClock.sleep(30);
    }
  }

  it('deploys without touching the number, plans no change of it, and refuses to raise it', async () => {
    const first = sampleTarget({ application: 'elastic', platform: PLATFORM, number: 1, instances: 1 });
    await drive.deploy(first, bundle);
    await harness.create(AUTOSCALERS, autoscaler(3, 5));
    await replicasAre(3);

    const second = sampleTarget({ application: 'elastic', platform: PLATFORM, number: 2, instances: 1 });
    const provider = drive.fresh();
    const seen = await provider.observe(drive.context, 'elastic');
    const changes = await provider.plan(drive.context, second, seen);
    expect(changes.find(({ field }) => field === 'instances')).toEqual({
      action: 'none',
      field: 'instances',
      to: '3, by HorizontalPodAutoscaler elastic (3 to 5)',
      destructive: false,
    });
    await drive.deploy(second, bundle);
    const after = await harness.read(DEPLOYMENT);
    expect(after.spec.replicas).toBe(3);
    const own = after.metadata.managedFields.find((entry: { manager: string }) => entry.manager === 'sluice');
    expect(own.fieldsV1['f:spec']['f:replicas']).toBeUndefined();

    const refused = await drive.refusal(provider.scale(drive.context, 'elastic', 4));
    expect(refused).toMatchObject({
      class: 'conflict',
      message: expect.stringContaining('HorizontalPodAutoscaler elastic (3 to 5)'),
      details: { remedy: expect.stringContaining('raise its minReplicas to 4') },
    });
    // As many as run already are there without writing anything.
    await drive.succeed(provider.scale(drive.context, 'elastic', 2));
    expect((await harness.read(DEPLOYMENT)).spec.replicas).toBe(3);
    await drive.succeed(provider.destroy(drive.context, 'elastic'));
  });
});

describe('what a manifest says of replicas', () => {
  const two = autoscalerSchema.parse(autoscaler(2, 4));
  function live(replicas: number, subresource?: string) {
    const managedFields = [{ manager: 'someone', ...(subresource === undefined ? {} : { subresource }) }];
    return deploymentSchema.parse({
      metadata: { managedFields },
      spec: { replicas, template: {} },
    });
  }

  it('is what was asked for, where there is no autoscaler', () => {
    expect(replicasFor(undefined, live(7, 'scale'), 3)).toBe(3);
  });

  it('is within the bounds at first', () => {
    expect(replicasFor(two, undefined, 1)).toBe(2);
    expect(replicasFor(two, undefined, 9)).toBe(4);
  });

  it('is what is there for as long as the number is ours, and nothing once it is not', () => {
    expect(replicasFor(two, live(3), 1)).toBe(3);
    expect(replicasFor(two, live(3, 'scale'), 1)).toBe('autoscaled');
  });
});

describe('the autoscaler of the local OpenShift', () => {
  const { spec } = autoscalerSchema.parse(autoscaler(2, 4));

  it('keeps a number within its bounds', () => {
    expect([1, 2, 3, 9].map((current) => bounded({ spec }, current).replicas)).toEqual([2, 2, 3, 4]);
  });

  it('leaves alone what was scaled to nothing', () => {
    expect(bounded({ spec }, 0)).toMatchObject({
      replicas: 0,
      conditions: [{ type: 'AbleToScale' }, { type: 'ScalingActive', reason: 'ScalingDisabled' }],
    });
  });
});
