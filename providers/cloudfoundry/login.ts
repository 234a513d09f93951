import { readFile } from 'node:fs/promises';
import { platformError } from '../../src/core/errors.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { Auth } from './auth.ts';
import type { KubernetesCredentials, Options, UaaCredentials } from './config.ts';
import { once } from './shared-work.ts';
import type { Root } from './wire.ts';

/** Whoever writes the file does so long before the old token ends. */
const LOOK_EVERY_MS = 10_000;

/** Password or secret, with which UAA gives tokens. */
export function isUaa(credentials: Options['credentials']): credentials is UaaCredentials {
  return 'username' in credentials || 'clientId' in credentials;
}

/** Whose limits the calls count against; no secret. */
export function accountOf(credentials: Options['credentials']): string {
  if ('username' in credentials) return credentials.username;
  return 'clientId' in credentials ? credentials.clientId : '';
}

/** A token does not help where UAA gives them, nor a password where the cluster lets in. */
export function refuseOtherLogin(
  platform: string,
  { api, credentials }: Pick<Options, 'api' | 'credentials'>,
  root: Root,
): void {
  const isOnKubernetes = root.cf_on_k8s === true;
  if (isUaa(credentials)) {
    // Korifi can be set up with a UAA beside it.
    if (!isOnKubernetes || root.links.uaa != null) return;
    throw platformError('auth', platform, 'a password or client secret is no login here', {
      why: `${api} is Cloud Foundry on Kubernetes (Korifi): its users are the cluster's, and it has no UAA`,
      remedy: `give credentials.token, credentials.tokenFile, or credentials.certificate and credentials.key of platform ${platform}, as a kubeconfig has them`,
    });
  }
  if (isOnKubernetes) return;
  throw platformError('auth', platform, 'a token or certificate of Kubernetes is no login here', {
    why: `${api} is a Cloud Foundry with UAA, not one on Kubernetes (Korifi)`,
    remedy: `give credentials.username and credentials.password, or credentials.clientId and credentials.clientSecret of platform ${platform}`,
  });
}

/** What the cluster gave out goes with each call as it is; only a file can bring something newer. */
export function kubernetesAuth(options: {
  platform: string;
  credentials: KubernetesCredentials;
  clock: Clock;
  /** Fails where the API has another login. */
  fits: () => Promise<void>;
  whoAmI: () => Promise<string>;
}): Auth {
  const { platform, credentials, clock } = options;
  const fits = once(options.fits);
  const identity = once(options.whoAmI);
  let fromFile: { readonly token: string; readonly until: number } | undefined;

  async function current(): Promise<string> {
    if ('token' in credentials) return `bearer ${credentials.token}`;
    if ('certificate' in credentials) {
      const { certificate, key } = credentials;
      return `ClientCert ${Buffer.from(`${certificate.trim()}\n${key.trim()}\n`).toString('base64')}`;
    }
    if (fromFile === undefined || clock.now() >= fromFile.until) {
      const token = await contentOf(platform, credentials.tokenFile);
      fromFile = { token, until: clock.now() + LOOK_EVERY_MS };
    }
    return `bearer ${fromFile.token}`;
  }

  return {
    async header() {
      await fits();
      return current();
    },
    async renew() {
      fromFile = undefined;
    },
    identity,
  };
}

async function contentOf(platform: string, path: string): Promise<string> {
  let why = 'it is empty';
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (token !== '') return token;
  } catch (error) {
    why = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
  }
  throw platformError('auth', platform, `there is no token in ${path}`, {
    why,
    remedy: `correct platforms.${platform}.credentials.tokenFile, or see why nobody writes it`,
  });
}
