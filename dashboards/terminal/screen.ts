import type { Readable, Writable } from 'node:stream';
import blessed from 'blessed';
import type { Event } from '../../src/core/ports.ts';
import { emitter } from '../../src/lib/emitter.ts';
import type { Line, Size, Tone } from './cells.ts';

/** A terminal that shows lines and reports keys. Its creation takes the terminal over; `close` gives it back. */
export interface TerminalScreen {
  size(): Size;
  draw(lines: readonly Line[]): void;
  /** Names as blessed has them: `q`, `up`, `C-c`, `enter`, `pagedown`, `?`. */
  readonly onKey: Event<string>;
  readonly onResize: Event<void>;
  /** Idempotent. */
  close(): void;
}

export interface ScreenOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly unicode: boolean;
  readonly color: boolean;
}

/** Parameters of SGR. Without colours weight and inversion still tell the alarms apart. */
const COLORS: Readonly<Record<Tone, string>> = {
  plain: '',
  good: '32',
  warn: '33',
  bad: '1;31',
  busy: '36',
  dim: '90',
  strong: '1',
  title: '7',
  banner: '1;37;41',
  alarm: '1;30;43',
};
const NO_COLORS: Readonly<Record<Tone, string>> = {
  ...COLORS,
  good: '',
  warn: '',
  bad: '1',
  busy: '',
  dim: '',
  banner: '1;7',
  alarm: '7',
};

/**
 * blessed gives the terminal back by itself when the process ends: on an uncaught exception, `process.exit` and
 * SIGQUIT. SIGTERM and SIGINT are the command's to hear; it closes the screen.
 */
export function openScreen({ input, output, unicode, color }: ScreenOptions): TerminalScreen {
  const keys = emitter<string>();
  const resizes = emitter<void>();
  const screen = blessed.screen({
    // The types have these two the wrong way round.
    input: input as unknown as Writable,
    output: output as unknown as Readable,
    // Whatever TERM says: tmux and screen understand it, and there is nothing to look up on bare machines.
    terminal: 'xterm-256color',
    forceUnicode: unicode,
    fullUnicode: false,
    smartCSR: false,
  });
  // Our signs are Unicode or ASCII; the terminal's second character set comes out as letters under tmux.
  (screen.program as unknown as { tput: { brokenACS: boolean } }).tput.brokenACS = true;
  const box = blessed.box({ parent: screen, top: 0, left: 0, width: '100%', height: '100%', wrap: false });
  const codes = color ? COLORS : NO_COLORS;
  let closed = false;

  screen.on('keypress', (_symbol: string | undefined, key: { readonly full: string }) => keys.fire(key.full));
  screen.on('resize', () => resizes.fire());

  return {
    onKey: keys.event,
    onResize: resizes.event,
    size: () => ({ columns: Number(screen.width), rows: Number(screen.height) }),
    draw(lines) {
      if (closed) return;
      box.setContent(
        lines.map((line) => line.map(({ text, tone }) => paint(text, codes[tone])).join('')).join('\n'),
      );
      screen.render();
    },
    close() {
      if (closed) return;
      closed = true;
      screen.destroy();
    },
  };
}

function paint(text: string, code: string): string {
  return code === '' ? text : `\u001b[${code}m${text}\u001b[0m`;
}
