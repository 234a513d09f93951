import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { systemClock } from './clock.ts';
import { hasCode } from './has-code.ts';

export interface GitCall {
  readonly cwd: string;
  readonly timeoutMs: number;
  /** `http.extraHeader` and the like: not among the arguments, which every user of the machine can read. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The program is not there. */
export class NoGit extends Error {}

/** What it printed last; never with credentials of an address. */
export class GitFailure extends Error {}

const LONGEST_WORDS = 4_000;
/** Whoever calls us out of a hook of theirs means another repository. */
const THEIRS = /^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|OBJECT_DIRECTORY|COMMON_DIR|NAMESPACE|CONFIG.*)$/;

/** Runs git with these arguments, without a shell and without questions, and hands its output to `read`. */
export async function git<T>(
  args: readonly string[],
  { cwd, timeoutMs, settings = {} }: GitCall,
  read: (output: Readable) => Promise<T>,
): Promise<T> {
  const child = spawn('git', args, {
    cwd,
    env: environment(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let expired = false;
  const expire = systemClock.after(timeoutMs, () => {
    expired = child.kill('SIGKILL');
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LONGEST_WORDS);
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  // Taken up at once: what nobody reads when the child ends is thrown away.
  const output = read(child.stdout.pipe(new PassThrough()));
  output.catch(() => child.kill('SIGKILL'));
  const [[code, signal], result] = await Promise.all([
    ended.catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) throw new NoGit('git is not installed, or not in PATH');
      throw error;
    }),
    output.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
  ]).finally(expire);
  if (expired) throw new GitFailure(`it did not end within ${timeoutMs / 1_000} s`);
  // Ended by us, because what it gave could not be read.
  if ('error' in result && (code === 0 || signal !== null)) throw result.error;
  if ('error' in result || code !== 0) throw new GitFailure(whyOf(words, code ?? signal));
  return result.value;
}

export function gitText(args: readonly string[], call: GitCall): Promise<string> {
  return git(args, call, async (output) => {
    let text = '';
    output.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    await finished(output);
    return text.trim();
  });
}

function environment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !THEIRS.test(name));
  const given = Object.entries(settings);
  const numbered = given.flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${i}`, key],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ]);
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(numbered),
    GIT_CONFIG_COUNT: String(given.length),
    LC_ALL: 'C',
    // Nobody sits there to answer, and no helper program may be run by an address.
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    SSH_ASKPASS: 'true',
    GIT_SSH_COMMAND: process.env['GIT_SSH_COMMAND'] ?? 'ssh -o BatchMode=yes',
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
  };
}

function whyOf(words: string, code: number | string | null): string {
  const said = words.trim().replace(/\/\/[^/@\s]*@/g, '//');
  return said === '' ? `git ended with ${code}` : said.split('\n').slice(-3).join('; ');
}
