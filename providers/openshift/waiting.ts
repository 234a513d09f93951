/** Why a container does not start, by the platform's own words, and what to do about it. Pure. */

interface Hint {
  readonly when: RegExp;
  readonly remedy: string;
}

const PULLING: readonly Hint[] = [
  {
    when: /unauthorized|authentication required|no basic auth|denied|forbidden|\b40[13]\b/i,
    remedy:
      'the cluster may not pull it: give `registry` with the image, or a pull secret to the project’s service account',
  },
  {
    when: /manifest unknown|not found|does not exist|no such image|\b404\b/i,
    remedy:
      'there is no such image: was it pushed, and not cleaned up since? Correct `image`, or deploy again',
  },
  {
    when: /toomanyrequests|rate limit/i,
    remedy: 'the registry serves no more for now: wait, pull with an account (`registry`), or use a mirror',
  },
  {
    when: /x509|certificate/i,
    remedy:
      'the nodes do not trust the registry’s certificate: ask whoever runs the cluster to add its authority',
  },
  {
    when: /no such host|timeout|refused|unreachable|i\/o/i,
    remedy: 'the nodes do not reach the registry: is its name right, is a proxy or a firewall between them?',
  },
];

const CONFIGURING: readonly Hint[] = [
  {
    when: /runAsNonRoot|run as root/i,
    remedy: 'the image wants to be root, and nobody is there: name another user in it (`USER 1001`)',
  },
  {
    when: /(secret|configmap) "[^"]*" not found/i,
    remedy: 'somebody deleted what its environment comes from: deploy again, or attach the service anew',
  },
  {
    when: /couldn't find key/i,
    remedy: 'a Secret lacks what the application names: see `services` and the Secret itself',
  },
];

const CREATING: readonly Hint[] = [
  {
    when: /"\/bin\/sh"|\/bin\/sh: /i,
    remedy:
      'the image has no shell, and `command` needs one: leave `command` out, or take an image with a shell',
  },
  {
    when: /executable file not found|no such file or directory/i,
    remedy: 'what `command` (or the image itself) names is not in the image',
  },
  { when: /permission denied/i, remedy: 'any user must be able to run it there: `chmod a+x` in the image' },
];

const HINTS: Readonly<Record<string, readonly Hint[]>> = {
  ErrImagePull: PULLING,
  ImagePullBackOff: PULLING,
  CreateContainerConfigError: CONFIGURING,
  CreateContainerError: CREATING,
  RunContainerError: CREATING,
  // How a command ends that cannot be started.
  StartError: CREATING,
  ContainerCannotRun: CREATING,
};

const OTHERWISE: Readonly<Record<string, string>> = {
  ErrImagePull: 'can the nodes reach the registry, and is the image there? `oc describe pod` tells more',
  ImagePullBackOff: 'can the nodes reach the registry, and is the image there? `oc describe pod` tells more',
  InvalidImageName: 'correct `image`: it is no name of an image',
  ErrImageNeverPull: 'the image is not on the node and may not be pulled: ask who set imagePullPolicy',
};

/** `text` begins with the reason: `ErrImagePull: …`. Undefined: nothing better than to read it. */
export function remedyForWaiting(text: string): string | undefined {
  const reason = /^\w+/.exec(text)?.[0] ?? '';
  return HINTS[reason]?.find(({ when }) => when.test(text))?.remedy ?? OTHERWISE[reason];
}
