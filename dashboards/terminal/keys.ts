/** What a key does, whatever key it is. */
export type Action =
  | 'quit'
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'explain'
  | 'pause'
  | 'help'
  | 'close';

export interface KeyBinding {
  /** As the screen names them: `C-c` is Ctrl-C. */
  readonly keys: readonly string[];
  readonly action: Action;
  /** As people know it. */
  readonly shown: string;
  readonly help: string;
  /** In the last line of the screen, where there is room for few. */
  readonly short?: string;
}

/** The one table: what keys do, the help page and the footer all come from here. */
export const KEYS: readonly KeyBinding[] = [
  { keys: ['q', 'C-c'], action: 'quit', shown: 'q', help: 'quit (also Ctrl-C)', short: 'quit' },
  {
    keys: ['up', 'k'],
    action: 'up',
    shown: 'k',
    help: 'the platform above; in a page, a line up (also ↑)',
    short: 'up',
  },
  {
    keys: ['down', 'j'],
    action: 'down',
    shown: 'j',
    help: 'the platform below; in a page, a line down (also ↓)',
    short: 'down',
  },
  { keys: ['pageup', 'C-b'], action: 'page-up', shown: 'PgUp', help: 'ten lines up' },
  { keys: ['pagedown', 'C-f', 'space'], action: 'page-down', shown: 'PgDn', help: 'ten lines down' },
  {
    keys: ['w', 'enter'],
    action: 'explain',
    shown: 'w',
    help: 'why traffic is where it is (also Enter)',
    short: 'why',
  },
  { keys: ['p'], action: 'pause', shown: 'p', help: 'hold the picture still, or go on', short: 'pause' },
  { keys: ['?', 'h'], action: 'help', shown: '?', help: 'this page', short: 'help' },
  { keys: ['escape'], action: 'close', shown: 'Esc', help: 'close the page' },
];

export function actionOf(key: string): Action | undefined {
  return KEYS.find((binding) => binding.keys.includes(key))?.action;
}
