import { expect, it } from '@jest/globals';
import { faultsOf, loadText } from './support.ts';

const file = (target: string): string => `version: 1
platforms:
  rack: { provider: selfhosted, driver: process }
  old: { provider: static, origins: ["http://127.0.0.1:1"] }
applications:
  shop:
    source: .
    command: node server.js
    targets: { rack: ${target}, old: {} }
`;

it('a target says for itself what runs there and with how much memory', () => {
  const { settings } = loadText(file('{ command: ./rack.sh, memory: 1Gi }'));
  const [rack, old] = settings?.applications['shop']?.targets ?? [];
  expect(rack).toMatchObject({ command: './rack.sh', memoryBytes: 1024 ** 3 });
  expect(old).not.toHaveProperty('command');
  expect(faultsOf(file('{ memory: 1 }'))).toEqual([expect.stringContaining('targets.rack.memory')]);
});

it('on a static platform both have no effect', () => {
  const text = file('{}').replace('old: {}', 'old: { command: run, memory: 1Gi }');
  expect(faultsOf(text)).toEqual([
    expect.stringMatching(/targets\.old\.command.*has no effect/),
    expect.stringMatching(/targets\.old\.memory.*has no effect/),
  ]);
});
