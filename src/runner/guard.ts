import { type ChildProcess, spawn } from 'node:child_process';
import type { ProcessIdentity } from './proc.ts';

/**
 * Kills what an owner started once the owner is gone, however it went. `watch` and `unwatch` write at once, so what
 * was said before a SIGKILL is still read by the guard.
 */
export interface Guard {
  watch(leader: ProcessIdentity): void;
  unwatch(leader: ProcessIdentity): void;
  /** A clean end: the guard leaves without killing anybody. */
  close(): Promise<void>;
}

/**
 * A shell, because it starts in a millisecond and costs no memory. It reads `+ PID TICKS` and `- PID TICKS` until
 * the pipe closes. `bye` ends it; end of file without it means that the owner died: everybody still watched gets
 * SIGTERM and, one second later, SIGKILL. Terminal and service managers cannot stop it before it did its work.
 */
const SCRIPT = `
trap '' INT HUP TERM QUIT
watched=' '
while read -r act pid ticks; do
  case $act in
    +) watched="$watched$pid:$ticks " ;;
    -) before=\${watched%% $pid:$ticks *}
       [ "$before" = "$watched" ] || watched="$before \${watched#* $pid:$ticks }" ;;
    bye) exit 0 ;;
  esac
done
# A pid may have been handed out again since: then its start time differs and it is not ours to kill.
ours() {
  [ "$2" = - ] && return 0
  [ -r "/proc/$1/stat" ] || return 0
  read -r line < "/proc/$1/stat" || return 0
  set -- "$2" \${line##*) }
  [ "$1" = "\${21}" ]
}
for signal in TERM KILL; do
  for one in $watched; do
    if ours "\${one%:*}" "\${one#*:}"; then kill -s $signal -- "-\${one%:*}" 2>/dev/null; fi
  done
  [ $signal = KILL ] || sleep 1
done
`;

export function createGuard(): Guard {
  const watched = new Map<number, ProcessIdentity>();
  let shell: ChildProcess | undefined;
  let closed = false;

  function tell(line: string): void {
    if (shell === undefined) shell = begin();
    shell.stdin?.write(`${line}\n`);
  }

  function begin(): ChildProcess {
    // Its own session: Ctrl-C in the owner's terminal must not take the guard away first.
    const started = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    started.stdin?.on('error', () => undefined);
    started.once('error', lost);
    started.once('exit', lost);
    // Neither the guard nor its pipe is a reason for the owner to stay.
    started.unref();
    unrefPipe(started);
    return started;
  }

  function lost(): void {
    shell = undefined;
    if (closed || watched.size === 0) return;
    // Somebody killed the guard itself: the next one is told everything again.
    shell = begin();
    for (const leader of watched.values()) tell(line('+', leader));
  }

  return {
    watch(leader) {
      watched.set(leader.pid, leader);
      tell(line('+', leader));
    },
    unwatch(leader) {
      // Never a reason to start a guard: one that is gone is told only of those still watched.
      if (watched.delete(leader.pid) && shell !== undefined && !closed) tell(line('-', leader));
    },
    async close() {
      if (closed) return;
      closed = true;
      const last = shell;
      if (last === undefined || last.exitCode !== null) return;
      const gone = new Promise((resolve) => last.once('exit', resolve));
      last.ref();
      last.stdin?.end('bye\n');
      await gone;
    },
  };
}

function line(act: '+' | '-', leader: ProcessIdentity): string {
  return `${act} ${leader.pid} ${leader.startTicks ?? '-'}`;
}

function unrefPipe(child: ChildProcess): void {
  const pipe = child.stdin;
  if (pipe !== null && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
}
