import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Forked, forkProgram } from './forked.ts';
import type { OriginMode, OriginOrder, OriginSetting, OriginWord } from './origin-messages.ts';

const PROGRAM = resolve(import.meta.dirname, 'origin-process.js');

/** One origin of the drill, seen from where the faults are ordered. */
export class Origin {
  readonly setting: OriginSetting;
  #process: Forked<OriginOrder, OriginWord> | undefined;

  constructor(setting: OriginSetting) {
    this.setting = setting;
  }

  get url(): string {
    return `http://127.0.0.1:${this.setting.port}`;
  }

  async start(): Promise<void> {
    this.#process = forkProgram(PROGRAM, [JSON.stringify(this.setting)]);
    await this.#process.next('listening', (word): word is OriginWord => word.kind === 'listening');
  }

  async mode(mode: OriginMode): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    const changed = running.next('changed', (word): word is OriginWord => word.kind === 'changed');
    running.send({ kind: 'mode', mode });
    await changed;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.signal(name);
  }

  die(): void {
    this.#process?.send({ kind: 'die' });
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  /** What it has executed, in order; over all its lives. */
  async executed(): Promise<readonly string[]> {
    const text = await readFile(this.setting.ledgerFile, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }
}
