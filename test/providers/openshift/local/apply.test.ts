import { describe, expect, it } from '@jest/globals';
import { applyConfiguration, recordUpdate } from '../../../../providers/openshift/local/apply.ts';
import { StatusError } from '../../../../providers/openshift/local/errors.ts';
import { clone } from '../../../../providers/openshift/local/json.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../../../../providers/openshift/local/patches.ts';
import type { KubeObject } from '../../../../providers/openshift/local/types.ts';

const EMPTY: KubeObject = { kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'app' } };

function config(spec: KubeObject['spec'], labels: Record<string, string> = {}): KubeObject {
  return { ...EMPTY, metadata: { name: 'app', labels }, spec };
}

function apply(live: KubeObject, wanted: KubeObject, manager: string, force = false): KubeObject {
  return applyConfiguration(live, wanted, { manager, force, time: 't' });
}

function scaled(live: KubeObject, replicas: number, manager: string): KubeObject {
  const after = clone(live);
  after['spec'] = { ...(live['spec'] as object), replicas };
  recordUpdate(live, after, { manager, time: 't', subresource: 'scale' });
  return after;
}

describe('server-side apply', () => {
  it('refuses a value another manager set since, and names it', () => {
    const mine = apply(EMPTY, config({ replicas: 2, paused: false }), 'gateway');
    const theirs = scaled(mine, 5, 'kubectl');
    let thrown: unknown;
    try {
      apply(theirs, config({ replicas: 2, paused: false }), 'gateway');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(StatusError);
    expect(thrown instanceof StatusError ? thrown.status : undefined).toMatchObject({
      code: 409,
      message:
        'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.replicas' }] },
    });
  });

  it('takes the field over when forced', () => {
    const theirs = scaled(apply(EMPTY, config({ replicas: 2 }), 'gateway'), 5, 'kubectl');
    const forced = apply(theirs, config({ replicas: 2 }), 'gateway', true);
    expect(forced['spec']).toEqual({ replicas: 2 });
    expect(forced.metadata.managedFields?.map((entry) => entry.manager)).toEqual(['gateway']);
  });

  it('does not mind the same value, nor fields it leaves to others', () => {
    const theirs = scaled(apply(EMPTY, config({ replicas: 2, paused: false }), 'gateway'), 5, 'kubectl');
    expect(apply(theirs, config({ replicas: 5 }), 'gateway')['spec']).toEqual({ replicas: 5 });
    expect(apply(theirs, config({ paused: true }), 'gateway')['spec']).toEqual({ replicas: 5, paused: true });
  });

  it('removes what it applied before and now leaves out', () => {
    const first = apply(EMPTY, config({ replicas: 2 }, { a: '1', b: '2' }), 'gateway');
    const second = apply(first, config({ replicas: 2 }, { a: '1' }), 'gateway');
    expect(second.metadata.labels).toEqual({ a: '1' });
  });

  it('leaves no empty husk of what it removed', () => {
    const probe = (kind: string): KubeObject['spec'] => ({
      probe: { periodSeconds: 1, [kind]: { port: 1 } },
    });
    const first = apply(EMPTY, config(probe('tcpSocket')), 'gateway');
    expect(apply(first, config(probe('httpGet')), 'gateway')['spec']).toEqual(probe('httpGet'));
  });

  it('merges containers and their variables by name', () => {
    const env = (value: string): KubeObject['spec'] => ({
      template: { spec: { containers: [{ name: 'app', image: 'i', env: [{ name: 'A', value }] }] } },
    });
    const mine = apply(EMPTY, config(env('1')), 'gateway');
    const other = apply(
      mine,
      config({ template: { spec: { containers: [{ name: 'app', env: [{ name: 'B', value: 'x' }] }] } } }),
      'other',
    );
    const again = apply(other, config(env('2')), 'gateway');
    expect(again['spec']).toEqual({
      template: {
        spec: {
          containers: [
            {
              name: 'app',
              image: 'i',
              env: [
                { name: 'A', value: '2' },
                { name: 'B', value: 'x' },
              ],
            },
          ],
        },
      },
    });
  });

  it('changes nothing when applied again', () => {
    const first = apply(EMPTY, config({ replicas: 2 }), 'gateway');
    expect(
      applyConfiguration(first, config({ replicas: 2 }), { manager: 'gateway', force: false, time: 'later' }),
    ).toEqual(first);
  });
});

describe('patches', () => {
  it('merges as RFC 7386 says', () => {
    expect(mergePatch({ a: 1, b: { c: 2, d: 3 } }, { a: null, b: { c: 4 } })).toEqual({ b: { c: 4, d: 3 } });
  });

  it('merges keyed lists strategically and obeys directives', () => {
    const spec = { containers: [{ name: 'a', image: '1' }, { name: 'b' }] };
    const patch = {
      containers: [
        { name: 'a', image: '2' },
        { name: 'b', $patch: 'delete' },
      ],
    };
    expect(strategicMergePatch({ spec }, { spec: patch })).toEqual({
      spec: { containers: [{ name: 'a', image: '2' }] },
    });
  });

  it('replaces, adds, tests and removes by pointer', () => {
    const operations = [
      { op: 'test', path: '/a', value: 1 },
      { op: 'add', path: '/list/-', value: 3 },
      { op: 'replace', path: '/x~1y', value: 'z' },
      { op: 'remove', path: '/a' },
    ];
    expect(jsonPatch({ a: 1, list: [1], 'x/y': 0 }, operations)).toEqual({ list: [1, 3], 'x/y': 'z' });
    expect(() => jsonPatch({ a: 1 }, [{ op: 'test', path: '/a', value: 2 }])).toThrow(
      'testing path /a failed',
    );
  });
});
