// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configuration files are written so.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ValidateOptions, validateFile } from '../../src/cli/validate-file.ts';
import { PROVIDERS, soundFile } from './support.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-validate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function validate(
  text: string | undefined,
  options: Partial<ValidateOptions> = {},
  env: Record<string, string> = {},
) {
  if (text !== undefined) writeFileSync(join(folder, 'sluice.yaml'), text);
  const out: string[] = [];
  const err: string[] = [];
  const statuses: number[] = [];
  const io = {
    stdout: (printed: string) => void out.push(printed),
    stderr: (printed: string) => void err.push(printed),
    env,
    cwd: folder,
    isTty: false,
    columns: 80,
    signal: new AbortController().signal,
    exit: (status: number) => void statuses.push(status),
  };
  validateFile({ file: 'sluice.yaml', ...options }, io, PROVIDERS);
  return { out: out.join(''), err: err.join(''), statuses };
}

describe('sluice validate', () => {
  it('says in one line that all is well', () => {
    expect(validate(soundFile())).toEqual({
      out: 'sluice.yaml is valid: 1 platform, 1 application\n',
      err: '',
      statuses: [],
    });
  });

  it('prints faults to stderr and ends with 64', () => {
    const { out, err, statuses } = validate(soundFile({ application: 'comand: x\ninstances: 0' }));
    expect(out).toBe('');
    expect(err).toBe(
      'sluice.yaml:7:5 error applications.shop.comand: unknown key — did you mean "command"?\n' +
        'sluice.yaml:8:16 error applications.shop.instances: too small — at least 1\n' +
        'sluice.yaml has 2 faults\n',
    );
    expect(statuses).toEqual([64]);
  });

  it('prints warnings and is content', () => {
    const { out, err, statuses } = validate(soundFile({ application: 'env: { A: "${A}" }' }), {}, { A: '' });
    expect(err).toContain('warning applications.shop.env.A: ${A} is empty');
    expect(out).toContain('is valid');
    expect(statuses).toEqual([]);
  });

  it('prints NDJSON with --json, all of it on stdout', () => {
    const { out, err, statuses } = validate(soundFile({ application: 'comand: x' }), { json: true });
    expect(err).toBe('');
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        type: 'diagnostic',
        severity: 'error',
        file: 'sluice.yaml',
        line: 7,
        column: 5,
        path: 'applications.shop.comand',
        summary: 'unknown key',
        remedy: 'did you mean "command"?',
      },
      { type: 'summary', file: 'sluice.yaml', valid: false, errors: 1, warnings: 0 },
    ]);
    expect(statuses).toEqual([64]);
  });

  it('prints the resolved configuration with origins instead of secrets', () => {
    const text = soundFile({
      application: 'env: { DB: "postgres://u:${PW}@h/d", PW: "${PW}" }\nmemory: 256M',
    });
    const { out, err } = validate(text, { resolved: true }, { PW: 'hunter-22' });
    expect(out).toContain('DB: postgres://u:<redacted from ${PW}>@h/d');
    expect(out).toContain('PW: <redacted from ${PW}>');
    expect(out).toContain('memory: 256Mi');
    expect(out).not.toContain('hunter-22');
    expect(err).toBe('sluice.yaml is valid: 1 platform, 1 application\n');
    const json = validate(text, { resolved: true, json: true }, { PW: 'hunter-22' }).out;
    expect(JSON.parse(json.split('\n')[0] ?? '')).toMatchObject({
      type: 'settings',
      settings: { applications: { shop: { env: { PW: '<redacted from ${PW}>' } } } },
    });
  });

  it('says what to do when there is no file', () => {
    const { err, statuses } = validate(undefined);
    expect(err).toContain(
      'sluice.yaml:1:1 error cannot read the configuration: no such file — name the file with -f FILE',
    );
    expect(statuses).toEqual([64]);
  });
});
