import { describe, expect, it } from '@jest/globals';
import { presetPolicy } from '../../src/config/preset-policy.ts';
import { packagePresets } from '../../src/config/presets.ts';
import { DEFAULT_POLICY } from '../../src/core/settings.ts';
import { faultsOf, type LoadTextOptions, loadText, soundFile } from './support.ts';

function policyOf(lines: string, options: LoadTextOptions = {}) {
  const loaded = loadText(soundFile({ application: lines }), options);
  if (loaded.settings === undefined) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.settings.applications['shop']?.policy;
}

describe('presets', () => {
  it('all are sound and called as their files', () => {
    const presets = packagePresets();
    expect(Object.keys(presets)).toEqual([
      'active-active',
      'active-passive',
      'cost-first',
      'demo',
      'important-first',
      'latency-first',
      'maintenance-friendly',
    ]);
    for (const name of Object.keys(presets)) expect(presetPolicy(name, presets)?.name).toBe(name);
  });

  it('active-active is the default to the letter', () => {
    expect(presetPolicy('active-active', packagePresets())).toEqual(DEFAULT_POLICY);
    expect(policyOf('')).toEqual(DEFAULT_POLICY);
  });

  it('demo comes back within seconds', () => {
    expect(policyOf('policy: demo')).toMatchObject({
      name: 'demo',
      holdDown: { baseMs: 3_000 },
      ramp: { steps: [0.25, 0.5, 1], everyMs: 1_000 },
    });
  });
});

describe('a policy of one’s own', () => {
  it('inline changes what it names and keeps the rest of its base', () => {
    expect(policyOf('policy: { holdDown: { base: 5s }, failback: manual }')).toEqual({
      ...DEFAULT_POLICY,
      name: 'custom',
      holdDown: { baseMs: 5_000, maxMs: 900_000 },
      failback: 'manual',
    });
    expect(policyOf('policy: { base: demo, overprovision: 2 }')).toMatchObject({
      overprovision: 2,
      holdDown: { baseMs: 3_000 },
    });
  });

  it('in a file is called after it, and found from the folder of the configuration', () => {
    const files = { '/etc/sluice/policies/night.yaml': 'ramp: { every: 5s, steps: [50%, 1] }\n' };
    expect(policyOf('policy: policies/night.yaml', { files })).toMatchObject({
      name: 'night',
      ramp: { steps: [0.5, 1], everyMs: 5_000 },
    });
  });

  it('with faults in its file is told there', () => {
    const files = { '/etc/sluice/night.yaml': 'ramp: { evry: 5s }\nholdDown:\n  base: 5\n' };
    const { diagnostics } = loadText(soundFile({ application: 'policy: night.yaml' }), { files });
    expect(diagnostics.map(({ file, line, column, path }) => `${file}:${line}:${column} ${path}`)).toEqual([
      'night.yaml:1:9 ramp.evry',
      'night.yaml:3:9 holdDown.base',
    ]);
  });

  it.each([
    [
      'policy: activ-active',
      '7:13 error applications.shop.policy: no preset has this name — did you mean "active-active"?',
    ],
    ['policy: ./gone.yaml', '7:13 error applications.shop.policy: cannot read the policy file: no such file'],
    [
      'policy: { base: dmo }',
      '7:21 error applications.shop.policy.base: no preset has this name — did you mean "demo"?',
    ],
    ['policy: { ramp: { steps: [50%, 10%, 1] } }', 'the steps must rise and end at 100%'],
    ['policy: { ramp: { steps: [10%] } }', 'the steps must rise and end at 100%'],
    [
      'policy: { holdDown: { base: 5s, max: 1s } }',
      '7:42 error applications.shop.policy.holdDown.max: shorter than base',
    ],
    ['policy: { overprovison: 2 }', 'unknown key — did you mean "overprovision"?'],
    ['policy: { strategy: random }', 'not a known value — one of: tiered, primary, weighted, lowest-latency'],
    ['policy: [demo]', 'must be a text or a map — it is a list now'],
  ])('such as %j is told: %s', (lines, expected) => {
    expect(faultsOf(soundFile({ application: lines }))).toEqual([expect.stringContaining(expected)]);
  });
});
