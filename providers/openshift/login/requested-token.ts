import { z } from 'zod';
import type { Clock } from '../../../src/core/ports.ts';
import type { ApiClient } from '../../../src/lib/api-client.ts';
import { decodeToken } from './decode.ts';
import { type Grant, lifeIn, renewalOf, type TokenSource } from './grant.ts';

/** What we ask for; the server may give less. */
const LIFE_SECONDS = 6 * 3_600;

const answerSchema = z.object({
  status: z.object({ token: z.string().min(1), expirationTimestamp: z.iso.datetime({ offset: true }) }),
});

/** Tokens of a service account, each asked for with the one before. The first is from the configuration. */
export function requestedToken(options: {
  readonly platform: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly first: string;
  readonly clock: Clock;
  readonly api: ApiClient;
}): TokenSource {
  const { platform, namespace, serviceAccount, first, clock, api } = options;
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${encodeURIComponent(serviceAccount)}/token`;

  async function request(bearer: string): Promise<Grant> {
    const answer = await api.call({
      method: 'POST',
      path,
      json: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: LIFE_SECONDS },
      },
      headers: { authorization: `Bearer ${bearer}` },
      // One token more harms nobody.
      repeatable: true,
    });
    const { status } = decodeToken(answerSchema, answer.json, platform, path);
    const endsAt = Date.parse(status.expirationTimestamp);
    return { token: status.token, endsAt, renewAt: renewalOf(clock.now(), endsAt) };
  }

  return {
    renews: true,
    async next(before, wasRefused) {
      if (before === undefined) {
        const { begunAt, endsAt } = lifeIn(first);
        // Of one that does not say when it ends, nobody knows when to ask for the next: at once.
        const renewAt = endsAt === undefined ? clock.now() : renewalOf(begunAt ?? clock.now(), endsAt);
        return { token: first, endsAt, renewAt };
      }
      // Ours may have ended while the machine slept; the first one may last longer.
      return request(wasRefused ? first : before.token);
    },
  };
}
