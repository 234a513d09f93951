import { SluiceError } from '../core/errors.ts';
import type { ApplicationSettings } from '../core/settings.ts';

/**
 * While a freeze of the policy denies it no deployment begins. One that is under way goes on, and a rollback is the way
 * out of trouble: neither is held back.
 */
export function checkNotInFreeze({ name, policy }: ApplicationSettings, now: number): void {
  const freeze = policy.freeze?.find(({ window, deny }) => deny.includes('deploy') && window.isOpen(now));
  if (freeze === undefined) return;
  throw new SluiceError('SAFETY_VETO', `${name} takes no deployment now`, {
    where: `applications.${name}.policy.freeze`,
    why: `no deployments during ${freeze.window.text}`,
    remedy: 'deploy when it is over, or take `deploy` out of its `deny`; `sluice rollback` is not held back',
  });
}
