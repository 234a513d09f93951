import { describe, expect, it } from '@jest/globals';
import { createAuth } from '../../../../providers/openshift/auth.ts';
import { fixedToken } from '../../../../providers/openshift/login/fixed-token.ts';
import type { Grant, TokenSource } from '../../../../providers/openshift/login/grant.ts';
import { tokenFile } from '../../../../providers/openshift/login/token-file.ts';
import { virtualClock } from '../../../../src/lib/virtual-clock.ts';

const HOUR_MS = 3_600_000;

function jwt(iat: number, exp: number): string {
  return `e30.${Buffer.from(JSON.stringify({ iat, exp })).toString('base64url')}.signature`;
}

/** Hands out t1, t2, … that hold for an hour. */
function source(clock: { now(): number }): TokenSource & { asked: boolean[]; fault: Error | undefined } {
  const made = {
    renews: true,
    asked: [] as boolean[],
    fault: undefined as Error | undefined,
    async next(_: Grant | undefined, wasRefused: boolean): Promise<Grant> {
      made.asked.push(wasRefused);
      await Promise.resolve();
      if (made.fault) throw made.fault;
      const now = clock.now();
      return { token: `t${made.asked.length}`, endsAt: now + HOUR_MS, renewAt: now + 0.8 * HOUR_MS };
    },
  };
  return made;
}

describe('a token that ends', () => {
  it('is asked for once by all who call, and replaced when a fifth of its life is left', async () => {
    const clock = virtualClock(1_000);
    const tokens = source(clock);
    const auth = createAuth(tokens, clock);
    const [one, other] = await Promise.all([auth.headers(), auth.headers()]);
    expect([one, other]).toEqual([{ authorization: 'Bearer t1' }, { authorization: 'Bearer t1' }]);
    clock.advance(0.79 * HOUR_MS);
    expect(await auth.headers()).toEqual({ authorization: 'Bearer t1' });
    clock.advance(0.01 * HOUR_MS);
    expect(await auth.headers()).toEqual({ authorization: 'Bearer t2' });
    expect(auth.life()).toEqual({ endsAt: clock.now() + HOUR_MS, renewal: 'ok' });
  });

  it('is used on while renewing fails, which is told, and tried again after half a minute', async () => {
    const clock = virtualClock(1_000);
    const tokens = source(clock);
    const auth = createAuth(tokens, clock);
    await auth.headers();
    clock.advance(0.9 * HOUR_MS);
    tokens.fault = new Error('no right to do so');
    expect(await auth.headers()).toEqual({ authorization: 'Bearer t1' });
    expect(await auth.headers()).toEqual({ authorization: 'Bearer t1' });
    expect(tokens.asked).toHaveLength(2);
    expect(auth.life()).toMatchObject({ renewal: 'failing', why: 'no right to do so' });
    tokens.fault = undefined;
    clock.advance(30_000);
    expect(await auth.headers()).toEqual({ authorization: 'Bearer t3' });
    expect(auth.life().renewal).toBe('ok');
  });

  it('that has ended is no use: the reason why there is no other is thrown', async () => {
    const clock = virtualClock(1_000);
    const tokens = source(clock);
    const auth = createAuth(tokens, clock);
    await auth.headers();
    tokens.fault = new Error('no right to do so');
    clock.advance(HOUR_MS);
    await expect(auth.headers()).rejects.toThrow('no right to do so');
  });

  it('is replaced once when it was refused, however many calls met that', async () => {
    const clock = virtualClock(1_000);
    const tokens = source(clock);
    const auth = createAuth(tokens, clock);
    await auth.headers();
    await Promise.all([auth.renew(), auth.renew()]);
    await auth.renew();
    expect(tokens.asked).toEqual([false, true]);
    expect(await auth.headers()).toEqual({ authorization: 'Bearer t2' });
  });
});

describe('a token from the configuration', () => {
  it('says itself when it ends, and that nobody renews it', async () => {
    const auth = createAuth(fixedToken(jwt(0, 7_200)), virtualClock());
    await auth.headers();
    expect(auth.life()).toEqual({ endsAt: 7_200_000, renewal: 'none' });
  });

  it('that is opaque says nothing of its end', async () => {
    const auth = createAuth(fixedToken('sha256~abc'), virtualClock());
    await auth.headers();
    await auth.renew();
    expect(auth.life()).toEqual({ renewal: 'none' });
  });
});

describe('a token in a file', () => {
  it('is read again every ten seconds, and at once when it was refused', async () => {
    const clock = virtualClock(1_000);
    let content = 'first\n';
    const auth = createAuth(
      tokenFile('ocp', '/run/token', clock, async () => content),
      clock,
    );
    expect(await auth.headers()).toEqual({ authorization: 'Bearer first' });
    content = 'second\n';
    expect(await auth.headers()).toEqual({ authorization: 'Bearer first' });
    clock.advance(10_000);
    expect(await auth.headers()).toEqual({ authorization: 'Bearer second' });
    content = 'third\n';
    await auth.renew();
    expect(await auth.headers()).toEqual({ authorization: 'Bearer third' });
  });

  it('that is not there is an error that names the file', async () => {
    const missing = Object.assign(new Error('x'), { code: 'ENOENT' });
    const auth = createAuth(
      tokenFile('ocp', '/run/token', virtualClock(), () => Promise.reject(missing)),
      virtualClock(),
    );
    await expect(auth.headers()).rejects.toMatchObject({
      class: 'auth',
      message: 'there is no token in /run/token',
      details: { why: 'ENOENT' },
    });
  });
});
