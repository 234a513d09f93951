import { describe, expect, it } from '@jest/globals';
import { errorOf } from '../../../providers/openshift/errors.ts';
import { judgeRollout } from '../../../providers/openshift/rollout.ts';
import { admissionOf, buildPhase, instanceOf } from '../../../providers/openshift/translate.ts';
import {
  buildSchema,
  deploymentSchema,
  imageStreamTagSchema,
  podSchema,
  replicaSetSchema,
  routeSchema,
} from '../../../providers/openshift/wire.ts';
import { haveRecordings, recorded } from './recorded.ts';

const withRecordings = haveRecordings ? describe : describe.skip;

function refusal(name: string) {
  const { answer, call } = recorded(name);
  return errorOf('ocp', 'gold', 0, answer, call);
}

function items(name: string): unknown[] {
  return (recorded(name).answer.json as { items: unknown[] }).items;
}

withRecordings('what a real control plane refuses', () => {
  it.each([
    ['golden/01-no-token', 'auth'],
    ['golden/02-bad-token', 'auth'],
    ['golden/03-forbidden', 'forbidden'],
    ['golden/24-ssa-conflict', 'conflict'],
    ['golden/41-invalid', 'invalid'],
    ['golden/47-put-stale-conflict', 'conflict'],
    ['golden/65-quota-exceeded', 'quota'],
    ['golden/69-create-in-terminating-ns', 'conflict'],
    ['golden/39-unknown-path', 'unsupported'],
    ['golden-openshift/23-instantiatebinary-missing-bc', 'notFound'],
    ['golden-openshift/27-instantiatebinary-build-error', 'invalid'],
    ['golden-openshift-routes/08-route-custom-host-forbidden', 'forbidden'],
    ['golden-openshift-routes/06-route-host-change-dev', 'forbidden'],
  ])('%s is of class %s, with its own words and a remedy', (name, expected) => {
    const error = refusal(name);
    expect(error?.class).toBe(expected);
    expect(error?.details.where).toBe('ocp');
    expect(error?.details.why).toContain(String(recorded(name).answer.status));
    expect(error?.details.remedy).toBeTruthy();
  });

  it('a thing that is not there is no error when it was only looked for', () => {
    expect(refusal('golden/38-notfound')).toBeUndefined();
  });
});

withRecordings('what a real control plane says of a rollout', () => {
  const pods = () => items('golden/37-pods-crash').map((pod) => podSchema.parse(pod));

  it('is done when the new instances are available and the old ones gone', () => {
    const deployment = deploymentSchema.parse(recorded('golden-s2i/16-deployment-rolled').answer.json);
    expect(judgeRollout(deployment, [], [])).toEqual({
      state: 'done',
      message: '2 of 2 instances are ready',
    });
  });

  it('believes no condition before the controller has seen the new generation', () => {
    const deployment = deploymentSchema.parse(recorded('golden/34-crashloop').answer.json);
    expect(deployment.status.observedGeneration).toBeLessThan(deployment.metadata.generation ?? 0);
    expect(judgeRollout(deployment, [], [])).toMatchObject({ state: 'running' });
  });

  it('fails at the deadline though old instances keep the Deployment available', () => {
    const deployment = deploymentSchema.parse(recorded('golden/36-deploy-deadline-exceeded').answer.json);
    expect(judgeRollout(deployment, [], [])).toMatchObject({ state: 'failed', class: 'startFailed' });
  });

  it('names the crash of the new instances and whose log to read', () => {
    const deployment = deploymentSchema.parse(recorded('golden/36-deploy-deadline-exceeded').answer.json);
    const newest = replicaSetSchema.parse({
      metadata: {
        name: 'app-8d6cf9f98',
        labels: { 'pod-template-hash': '8d6cf9f98' },
        annotations: { 'deployment.kubernetes.io/revision': '5' },
        ownerReferences: [{ kind: 'Deployment', name: 'app' }],
      },
      spec: { template: {} },
    });
    expect(judgeRollout(deployment, [newest], pods())).toMatchObject({
      state: 'failed',
      class: 'startFailed',
      why: 'CrashLoopBackOff: exited with code 1, 3 restarts',
      pod: { name: 'app-8d6cf9f98-mln5r', crashed: true },
    });
  });

  it('tells instances that serve from one that crashes', () => {
    const states = pods().map((pod) => [instanceOf(pod).state, instanceOf(pod).routable]);
    expect(states).toEqual([
      ['running', true],
      ['running', true],
      ['crashed', false],
    ]);
  });

  it('reads an admitted route, and one no router has looked at', () => {
    const admitted = routeSchema.parse(recorded('golden-s2i/20-route-final').answer.json);
    const fresh = routeSchema.parse(recorded('golden-s2i/06-route').answer.json);
    expect(admissionOf(admitted)).toEqual({ state: 'admitted' });
    expect(admissionOf(fresh)).toEqual({ state: 'pending' });
  });

  it('reads builds and the image they made', () => {
    expect(buildPhase(buildSchema.parse(recorded('golden-s2i/10-build-after-upload').answer.json))).toBe(
      'running',
    );
    expect(buildPhase(buildSchema.parse(recorded('golden-s2i/12-build-complete').answer.json))).toBe(
      'complete',
    );
    expect(buildPhase(buildSchema.parse(recorded('golden-openshift/26-build-set-error').answer.json))).toBe(
      'failed',
    );
    const tag = imageStreamTagSchema.parse(recorded('golden-openshift/37-istag').answer.json);
    expect(tag.image.dockerImageReference).toMatch(/@sha256:a+$/);
  });
});
