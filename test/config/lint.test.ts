import { describe, expect, it } from '@jest/globals';
import { faultsOf } from './support.ts';

/** Two platforms; `policy` and the rest of the application as given. */
function file({ policy = '', here = '{}', there = '{}', application = '' }): string {
  return `version: 1
platforms:
  here: { provider: static, origins: ["http://127.0.0.1:1"] }
  there: { provider: static, origins: ["http://127.0.0.1:2"] }
applications:
  shop:
    targets: { here: ${here}, there: ${there} }
${application === '' ? '' : `    ${application}\n`}${policy === '' ? '' : `    policy: { ${policy} }\n`}`;
}

describe('a policy that is sound and makes no sense', () => {
  it.each<[string, Parameters<typeof file>[0], string | undefined]>([
    ['nothing', {}, undefined],
    [
      'an order of strangers',
      { policy: 'strategy: primary, primary: { order: [hree] }' },
      'error.*primary.order names hree',
    ],
    [
      'maintenance of a stranger',
      { policy: 'maintenance: [{ platform: x, cron: 0 2 * * *, for: 1h }]' },
      'error.*maintenance names x',
    ],
    [
      'a rule that always holds',
      { policy: 'rules: [{ name: r, when: "1 < 2", do: { notify: x } }]' },
      'warning.*holds always or never',
    ],
    [
      'a shift of nothing',
      { policy: 'rules: [{ name: r, when: target.down, do: { shift: 0% } }]' },
      'warning.*shifts nothing',
    ],
    [
      'strict',
      { policy: 'strategy: primary, primary: { switch: strict }' },
      'warning.*nobody but here ever serves',
    ],
    [
      'tiers for weights',
      { policy: 'strategy: weighted', there: '{ tier: 2 }' },
      'warning.*tiers mean little',
    ],
    ['a floor over the unknown', { policy: 'safety: [{ name: f, floor: 80% }]' }, 'warning.*always met'],
    ['shedding over the unknown', { policy: 'overload: shed' }, 'warning.*never sheds'],
    ['cost without costs', { policy: 'cost: { maxP95: 1s }' }, 'warning.*decides nothing'],
    ['growth without limits', { policy: 'scale: { withFailover: true }' }, 'warning.*nothing can grow'],
    [
      'a gate that is a constant',
      { policy: 'safety: [{ name: g, gate: "false" }]' },
      'warning.*says the same always',
    ],
    ['a shift of zero', { policy: 'maxShift: 0%' }, 'warning.*lets nobody ever come back'],
    ['a ramp too steep', { policy: 'maxShift: 10%' }, 'warning.*more in a minute'],
    ['a schedule without window', { policy: 'failback: scheduled' }, 'error.*needs a `failbackWindow`'],
    [
      'a window without schedule',
      { policy: 'failbackWindow: { cron: 0 9 * * *, for: 1h }' },
      'warning.*means nothing',
    ],
    [
      'a priority for nothing',
      { application: 'routes: [{ host: a.example.com, priority: 5 }]' },
      'warning.*decides nothing',
    ],
    ['stickiness of nobody', { policy: 'stickiness: { drain: 1m }' }, 'warning.*no route has `affinity`'],
    ['a port only', { application: 'health: { probe: tcp }' }, 'warning.*only the port is probed'],
  ])('such as %s', (_what, given, expected) => {
    const faults = faultsOf(file(given));
    if (expected === undefined) expect(faults).toEqual([]);
    else expect(faults).toEqual([expect.stringMatching(new RegExp(expected))]);
  });
});
