import { PassThrough, Writable } from 'node:stream';
import xterm from '@xterm/headless';
import type { Size } from '../../dashboards/terminal/cells.ts';

/** A terminal in memory: what is written to it is interpreted as a real one would, keys can be typed. */
export interface FakeTerminal {
  readonly input: PassThrough;
  readonly output: Writable;
  type(keys: string): void;
  resize(size: Size): void;
  /** Of the buffer that is shown now. */
  lines(): Promise<string[]>;
  /** Resolves when the text is to be seen. */
  shows(text: string): Promise<void>;
  isAlternate(): boolean;
  isRaw(): boolean;
  written(): string;
}

export function fakeTerminal(size: Size): FakeTerminal {
  const terminal = new xterm.Terminal({
    cols: size.columns,
    rows: size.rows,
    allowProposedApi: true,
    scrollback: 0,
  });
  let raw = false;
  let written = '';
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    isRaw: false,
    setRawMode(on: boolean) {
      raw = on;
      input.isRaw = on;
      return input;
    },
  });
  const output = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.toString();
        terminal.write(chunk, () => {
          done();
          output.emit('drawn');
        });
      },
    }),
    { isTTY: true, columns: size.columns, rows: size.rows },
  );
  async function lines(): Promise<string[]> {
    // An empty write comes back when all before it was interpreted.
    await new Promise<void>((done) => terminal.write('', done));
    const { active } = terminal.buffer;
    return Array.from(
      { length: terminal.rows },
      (_, row) =>
        active
          .getLine(active.viewportY + row)
          ?.translateToString(true)
          .trimEnd() ?? '',
    );
  }
  return {
    input,
    output,
    lines,
    async shows(text) {
      while (!(await lines()).join('\n').includes(text)) {
        await new Promise((done) => output.once('drawn', done));
      }
    },
    type: (keys) => void input.write(keys),
    resize({ columns, rows }) {
      terminal.resize(columns, rows);
      Object.assign(output, { columns, rows });
      output.emit('resize');
    },
    isAlternate: () => terminal.buffer.active.type === 'alternate',
    isRaw: () => raw,
    written: () => written,
  };
}
