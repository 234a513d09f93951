import { describe, expect, it } from '@jest/globals';
import { refusalIn } from '../../../providers/openshift/refusals.ts';

const NOT_USABLE = 'Forbidden: not usable by user or serviceaccount';

describe('what a refusal of the platform means', () => {
  it('tells of a used-up quota how much is missing', () => {
    const message =
      'pods "shop-5d8-" is forbidden: exceeded quota: team, requested: limits.memory=128Mi,pods=1, used: limits.memory=960Mi,pods=3, limited: limits.memory=1Gi,pods=3';
    expect(refusalIn(message)).toMatchObject({
      class: 'quota',
      what: 'quota team is used up',
      why: 'exceeded quota: team: 128Mi more of limits.memory, and 960Mi of 1Gi are used; 1 more of pods, and 3 of 3 are used',
    });
  });

  it('tells what a quota counts that instances do not name', () => {
    const message =
      'pods "shop-5d8-" is forbidden: failed quota: team: must specify limits.cpu for: web; requests.cpu for: web';
    expect(refusalIn(message)).toMatchObject({
      class: 'quota',
      why: 'failed quota: team: each must say its limits.cpu, requests.cpu',
      remedy: expect.stringContaining('LimitRange'),
    });
  });

  it.each([
    [
      'pods "x" is forbidden: maximum memory usage per Container is 512Mi, but limit is 1Gi',
      'maximum memory usage per Container is 512Mi, but limit is 1Gi',
      '`memory`',
    ],
    [
      'pods "x" is forbidden: [minimum memory usage per Container is 64Mi, but request is 32Mi, maximum cpu usage per Container is 1.  No limit is specified]',
      'minimum memory usage per Container is 64Mi, but request is 32Mi; maximum cpu usage per Container is 1.  No limit is specified',
      '`memory`',
    ],
    [
      'pods "x" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000',
      'cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000',
      'default',
    ],
  ])('tells the bounds of a limit range: %s', (message, bounds, remedy) => {
    expect(refusalIn(message)).toMatchObject({
      class: 'quota',
      why: `${bounds} (\`oc describe limitrange\`)`,
      remedy: expect.stringContaining(remedy),
    });
  });

  it('of all security context constraints shows what stands against us, and not those nobody lets us use', () => {
    const message = `pods "x-" is forbidden: unable to validate against any security context constraint: [provider "anyuid": ${NOT_USABLE}, provider restricted-v2: .containers[0].runAsUser: Invalid value: 0: must be in the ranges: [1000660000, 1000669999], provider "privileged": ${NOT_USABLE}]`;
    expect(refusalIn(message)).toMatchObject({
      class: 'forbidden',
      what: 'no security context constraint of the project allows such instances',
      why: 'unable to validate against any security context constraint: provider restricted-v2: .containers[0].runAsUser: Invalid value: 0: must be in the ranges: [1000660000, 1000669999]',
      remedy: expect.stringContaining('let the platform choose the user'),
    });
  });

  it.each([
    [
      'spec.volumes[0]: Invalid value: "hostPath": hostPath volumes are not allowed to be used',
      'nothing of the node',
    ],
    [
      'provider restricted-v2: .containers[0].privileged: Invalid value: true: Privileged containers are not allowed',
      'no privileges',
    ],
  ])('says what to do about it: %s', (fault, remedy) => {
    const message = `unable to validate against any security context constraint: [provider "anyuid": ${NOT_USABLE}, ${fault}]`;
    expect(refusalIn(message)).toMatchObject({
      why: expect.stringContaining(`: ${fault}`),
      remedy: expect.stringContaining(remedy),
    });
  });

  it('knows when no constraint may be used at all', () => {
    const message = `unable to validate against any security context constraint: [provider "anyuid": ${NOT_USABLE}]`;
    expect(refusalIn(message)?.remedy).toContain('add-scc-to-user restricted-v2');
  });

  it('makes nothing of what it does not know', () => {
    expect(refusalIn('admission webhook "policy.example.com" denied the request')).toBeUndefined();
  });
});
