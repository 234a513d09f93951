import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { shownPresets, withCharts } from '../../../src/app/simulate/charts-in-docs.ts';
import { verify } from '../../../src/app/simulate/expectations.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

describe('presets', () => {
  const shown = shownPresets();

  it('each come with a scenario, but the one that is for the demonstration', () => {
    const presets = readdirSync(join(ROOT, 'config', 'policies')).map((file) => file.replace('.yaml', ''));
    expect(shown.map(({ name }) => name)).toEqual(presets.filter((name) => name !== 'demo').sort());
  });

  it.each(shown.map(({ name, simulation }) => [name, simulation] as const))(
    '%s keeps what it promises',
    (_name, simulation) => {
      expect(simulation.scenario.expect.length).toBeGreaterThan(2);
      expect(verify(simulation).filter(({ ok }) => !ok)).toEqual([]);
    },
  );

  it('are shown in docs/policies.md as the simulation prints them; `npm run schema` writes it', () => {
    const text = readFileSync(join(ROOT, 'docs', 'policies.md'), 'utf8');
    expect(text).toContain('unserved');
    expect(text).toBe(withCharts(text));
  });
});
