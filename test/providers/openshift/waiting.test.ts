import { describe, expect, it } from '@jest/globals';
import { remedyForWaiting } from '../../../providers/openshift/waiting.ts';

describe('what to do about a container that does not start', () => {
  it.each([
    ['ErrImagePull: unauthorized: authentication required', 'registry'],
    ['ImagePullBackOff: Back-off pulling image "r/x@sha256:a": manifest unknown', 'no such image'],
    ['ErrImagePull: toomanyrequests: You have reached your pull rate limit', 'for now'],
    ['ErrImagePull: x509: certificate signed by unknown authority', 'authority'],
    ['ErrImagePull: dial tcp: lookup registry.test: no such host', 'reach the registry'],
    ['ImagePullBackOff: Back-off pulling image "r/x"', 'oc describe pod'],
    [
      'CreateContainerConfigError: container has runAsNonRoot and image will run as root (pod: "x")',
      'USER 1001',
    ],
    ['CreateContainerConfigError: secret "shop-r-1-abc" not found', 'deploy again'],
    ['RunContainerError: exec: "/bin/sh": stat /bin/sh: no such file or directory', 'no shell'],
    ['CreateContainerError: exec: "serve": executable file not found in $PATH', 'not in the image'],
    ['InvalidImageName: couldn’t parse image name', 'no name of an image'],
  ])('%s', (text, remedy) => {
    expect(remedyForWaiting(text)).toContain(remedy);
  });

  it('is nothing better than reading what nobody knows', () => {
    expect(remedyForWaiting('PostStartHookError: it broke')).toBeUndefined();
  });
});
