import type { ErrorCode } from '../../../src/core/errors.ts';

/** What the platform does wrong while a second release is brought to it. The order is that of the table in the docs. */
export const MISDEEDS = {
  'token refused midway': 'the API answers 401 once, in the middle of a deployment',
  '429 with Retry-After': 'the API asks to slow down and says for how long',
  '429 without Retry-After': 'the API asks to slow down and does not say for how long',
  '500 three times': 'three calls in a row are answered 500',
  'upload reset': 'the connection is reset when half of the upload has arrived',
  'job failed': 'what was accepted ends as failed, in an answer with status 200',
  'build failed': 'the platform cannot build the source',
  'crash loop': 'the new instances exit at once, again and again',
  quota: 'a quota is used up',
  'stuck pending': 'the platform finds no place for the new instances, or they never listen',
  'API gone 30 s': 'the API refuses connections for 30 s in the middle of a deployment',
  'foreign deployment': 'somebody else deploys the same application at the same time',
} as const satisfies Record<string, string>;

export type Misdeed = keyof typeof MISDEEDS;
export type Kind = 'cloudfoundry' | 'openshift' | 'selfhosted';

/** How a deployment ends that meets it, and what a person may read in docs/operating.md. */
export type Outcome =
  | { readonly end: 'live'; readonly text: string; readonly said?: RegExp }
  | {
      readonly end: 'failed';
      readonly code: ErrorCode;
      readonly text: string;
      /** The platform's own words, in what a person is shown. */
      readonly said: RegExp;
    }
  | { readonly end: 'n/a'; readonly text: string };

function live(text: string, said?: RegExp): Outcome {
  return { end: 'live', text, ...(said === undefined ? {} : { said }) };
}

function failed(code: ErrorCode, text: string, said: RegExp): Outcome {
  return { end: 'failed', code, text, said };
}

function none(text: string): Outcome {
  return { end: 'n/a', text };
}

/** Crashing applications say this; see test/support/sample-app.ts. */
const LAST_WORDS = /sample: cannot open the database/;

export const EXPECTED: Readonly<Record<Misdeed, Readonly<Record<Kind, Outcome>>>> = {
  'token refused midway': {
    cloudfoundry: live('one new token for all who wait, then the call again'),
    openshift: live('the call is made once more; a token that stays refused is `PLATFORM_AUTH`'),
    selfhosted: none('there is no token: the mode of the socket is the right'),
  },
  '429 with Retry-After': {
    cloudfoundry: live('everybody with these credentials waits as long as it says, then the call again'),
    openshift: live('everybody with these credentials waits as long as it says, then the call again'),
    selfhosted: none('the daemon limits no rates'),
  },
  '429 without Retry-After': {
    cloudfoundry: live('waits until `X-RateLimit-Reset`, or longer each time, then the call again'),
    openshift: live('waits longer each time, then the call again'),
    selfhosted: none('the daemon limits no rates'),
  },
  '500 three times': {
    cloudfoundry: live('tried again, up to four times; creating looks first whether it happened'),
    openshift: live('tried again, up to four times'),
    selfhosted: live('tried again'),
  },
  'upload reset': {
    cloudfoundry: live('sent again from its beginning'),
    openshift: live('the build that it broke is left behind, and the source is sent to a new one'),
    selfhosted: live('sent again from its beginning'),
  },
  'job failed': {
    cloudfoundry: live(
      'what is left of the old release is reported, and removed by the next deployment',
      /blobstore unavailability/,
    ),
    openshift: failed(
      'BUILD_FAILED',
      'with the reason of the build; `oc logs` tells more',
      /PushImageToRegistryFailed: Failed to push the image/,
    ),
    selfhosted: none('the daemon has no jobs: it answers when it is done'),
  },
  'build failed': {
    cloudfoundry: failed('BUILD_FAILED', 'with the log of the build', /BuildpackCompileFailed/),
    openshift: failed('BUILD_FAILED', 'with the log of the build', /AssembleFailed[\s\S]*npm error/),
    selfhosted: none('nothing is built: the source runs as it is'),
  },
  'crash loop': {
    cloudfoundry: failed(
      'START_FAILED',
      'the deployment is cancelled, the environment put back; with the last lines of the application',
      LAST_WORDS,
    ),
    openshift: failed(
      'START_FAILED',
      'the template before is put back; with the last lines of the application',
      LAST_WORDS,
    ),
    selfhosted: failed('START_FAILED', 'the new instances are stopped; with their last lines', LAST_WORDS),
  },
  quota: {
    cloudfoundry: failed('PLATFORM_QUOTA', 'at once; the environment is put back', /space_quota_exceeded/),
    openshift: failed(
      'PLATFORM_QUOTA',
      'at once; the template before is put back',
      /exceeded quota: compute-resources/,
    ),
    selfhosted: none('the daemon has no quotas'),
  },
  'stuck pending': {
    cloudfoundry: failed(
      'PLATFORM_QUOTA',
      'after `startTimeout` for each wave of instances and 30 s more; the deployment is cancelled',
      /insufficient resources: memory/,
    ),
    openshift: failed(
      'PLATFORM_QUOTA',
      'after `startTimeout` without progress; the template before is put back',
      /Unschedulable: 0\/1 nodes are available: 1 Insufficient memory/,
    ),
    selfhosted: failed(
      'START_FAILED',
      'after `startTimeout`; the new instances are stopped',
      /sample: waiting for nothing/,
    ),
  },
  'API gone 30 s': {
    cloudfoundry: live(
      'waits up to 2 minutes for it to come back, and goes on where it was',
      /does not answer/,
    ),
    openshift: live('waits up to 2 minutes for it to come back, and goes on where it was', /does not answer/),
    selfhosted: live(
      'waits up to 2 minutes for the daemon to come back, and goes on where it was',
      /does not answer/,
    ),
  },
  'foreign deployment': {
    cloudfoundry: failed(
      'PLATFORM_CONFLICT',
      'waits a minute for it to end, and never supersedes it',
      /ACTIVE DEPLOYING/,
    ),
    openshift: failed('PLATFORM_CONFLICT', 'the change of the other is left in place', /kubectl-rollout/),
    selfhosted: live('releases run side by side; the other one is left alone'),
  },
};
