import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { verify } from '../../src/app/simulate/expectations.ts';
import { simulate } from '../../src/app/simulate/run.ts';
import { readPolicy } from '../../src/config/preset-policy.ts';
import { packagePresets } from '../../src/config/presets.ts';
import { readScenario } from '../../src/config/scenario.ts';
import type { PolicySettings } from '../../src/core/settings.ts';

const FOLDER = join(import.meta.dirname, 'suite');

/** `x-policy` of the scenario, on top of active-active. */
function policyOf(text: string): PolicySettings {
  const own: unknown = parse(text)['x-policy'] ?? {};
  const presets = {
    ...packagePresets(),
    own: { file: 'x-policy', text: stringify({ name: 'own', ...Object(own) }) },
  };
  const { policy, diagnostics } = readPolicy('own', presets);
  if (policy === undefined) throw new Error(JSON.stringify(diagnostics));
  return policy;
}

describe('scenarios on a virtual clock', () => {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));

  it.each(files)('%s', (file) => {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const read = readScenario(file, text);
    if (!read.ok) throw new Error(JSON.stringify(read.diagnostics, undefined, 1));
    const simulation = simulate(policyOf(text), read.scenario);
    expect(verify(simulation).filter(({ ok }) => !ok)).toEqual([]);
    expect(simulation.scenario.expect.length).toBeGreaterThan(0);
  });
});
