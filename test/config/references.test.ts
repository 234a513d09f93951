// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { describe, expect, it } from '@jest/globals';
import { resolveReferences } from '../../src/config/references.ts';
import { faultsOf, loadText, soundFile } from './support.ts';

const FILES: Readonly<Record<string, string>> = {
  '/etc/sluice/pw': 'from-file\n',
  '/etc/sluice/two': 'a\nb\r\n',
  '/home/ada/key': 'KEY',
  '/big': 'x'.repeat(1_048_577),
};

function resolve(
  text: string,
  env: Record<string, string | undefined> = {
    A: 'one',
    B: 'two',
    EMPTY: '',
    HOME: '/home/ada',
    NEST: '${A}',
  },
) {
  return resolveReferences(text, {
    env,
    folder: '/etc/sluice',
    read(path) {
      const content = FILES[path];
      if (content === undefined)
        throw Object.assign(new Error(path), { code: path === '/locked' ? 'EACCES' : 'ENOENT' });
      return content;
    },
  });
}

describe('references', () => {
  it.each([
    ['plain', 'plain'],
    ['${A}', 'one'],
    ['x${A}y${B}z', 'xoneytwoz'],
    ['${file:pw}', 'from-file'],
    ['${file:/etc/sluice/two}', 'a\nb'],
    ['${file:~/key}', 'KEY'],
    ['$${A}', '${A}'],
    ['$$', '$'],
    ['a $ b $PORT $1', 'a $ b $PORT $1'],
    ['$$$${A}', '$${A}'],
    ['$$${A}', '$one'],
    ['${NEST}', '${A}'],
  ])('turn %j into %j', (text, expected) => {
    const resolved = resolve(text);
    expect(resolved.faults).toEqual([]);
    expect(resolved.text).toBe(expected);
  });

  it.each([
    ['${C}', 'environment variable C is not set'],
    ['${constructor}', 'environment variable constructor is not set'],
    ['${A', 'not a reference'],
    ['${}', 'not a reference'],
    ['${A:-x}', 'not a reference'],
    ['${file:}', 'not a reference'],
    ['${file:gone}', 'cannot read /etc/sluice/gone: no such file'],
    ['${file:/locked}', 'cannot read /locked: permission denied'],
    ['${file:/big}', '/big is too big for a secret'],
  ])('refuse %j: %s', (text, summary) => {
    expect(resolve(text).faults).toEqual([expect.objectContaining({ severity: 'error', summary })]);
  });

  it('need HOME for ~', () => {
    expect(resolve('${file:~/key}', {}).faults[0]?.summary).toBe('HOME is not set, so ~/ leads nowhere');
  });

  it('warn of a variable that is set to nothing', () => {
    expect(resolve('${EMPTY}').faults).toEqual([
      expect.objectContaining({ severity: 'warning', summary: '${EMPTY} is empty' }),
    ]);
  });

  it('tell what each stood for', () => {
    expect(resolve('${A}:${file:pw}').references).toEqual([
      { from: '${A}', value: 'one' },
      { from: '${file:pw}', value: 'from-file' },
    ]);
  });
});

describe('references in a file', () => {
  it('are all reported at their value, and nothing else is said about it', () => {
    expect(faultsOf(soundFile({ application: 'policy: "${P}"\nenv: { A: "${X}${Y}" }' }))).toEqual([
      expect.stringMatching(/^7:13 error applications\.shop\.policy: environment variable P is not set/),
      expect.stringMatching(/^8:15 error applications\.shop\.env\.A: environment variable X is not set/),
      expect.stringMatching(/^8:15 error applications\.shop\.env\.A: environment variable Y is not set/),
    ]);
  });

  it('give numbers and booleans where those are wanted', () => {
    const text = `version: 1
platforms:
  cf: { provider: cloudfoundry, api: https://a, org: o, space: "7", retries: "\${N}", skipCheck: "\${T}", credentials: { username: u, password: "\${N}" } }
applications:
  shop: { source: ., instances: "\${N}", targets: { cf: { weight: "\${N}" } } }
gateway:
  workers: \${N}
`;
    const { settings, diagnostics } = loadText(text, { env: { N: '3', T: 'true' } });
    expect(diagnostics).toEqual([]);
    expect(settings?.gateway.workers).toBe(3);
    expect(settings?.applications['shop']?.targets[0]).toMatchObject({ instances: 3, weight: 3 });
    expect(settings?.platforms['cf']?.options).toMatchObject({
      retries: 3,
      skipCheck: true,
      credentials: { password: '3' },
    });
    const wrong = loadText(text, { env: { N: 'three', T: 'true' } });
    expect(wrong.diagnostics.map((one) => one.path)).toContain('gateway.workers');
    expect(JSON.stringify(wrong.diagnostics)).not.toContain('three');
  });

  it('under x- keys need not be set', () => {
    expect(faultsOf(soundFile({ root: 'x-unused: "${NOT_SET}"\n' }))).toEqual([]);
  });
});
