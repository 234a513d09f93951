import { expect, it } from '@jest/globals';
import { GitFailure, git, gitText } from '../../src/lib/git.ts';

const here = { cwd: '.', timeoutMs: 20_000 };

it('answers what git prints, and fails with its last words', async () => {
  expect(await gitText(['--version'], here)).toMatch(/^git version/);
  await expect(gitText(['no-such-command'], here)).rejects.toThrow(/no-such-command/);
});

it('gives up after its time, and says so', async () => {
  const slow = gitText(['cat-file', '--batch-check=%(objectname)', '--batch-all-objects'], {
    ...here,
    timeoutMs: 1,
  });
  await expect(slow).rejects.toThrow('it did not end within 0.001 s');
  await expect(slow).rejects.toBeInstanceOf(GitFailure);
});

it('passes on why its output could not be read', async () => {
  const refused = git(['--version'], here, () => Promise.reject(new Error('no room')));
  await expect(refused).rejects.toThrow('no room');
});

it('hands settings over where other users of the machine cannot see them', async () => {
  const settings = { 'sluice.word': 'planted-canary' };
  expect(await gitText(['config', 'sluice.word'], { ...here, settings })).toBe('planted-canary');
});
