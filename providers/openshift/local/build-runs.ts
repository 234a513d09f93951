import type { Event } from '../../../src/core/ports.ts';
import { emitter } from '../../../src/lib/emitter.ts';

/** What belongs to a build and is not in its object: the upload on its way in and the log on its way out. */
export interface BuildRun {
  readonly lines: readonly string[];
  readonly onLine: Event<string>;
  readonly onEnd: Event<void>;
  readonly ended: boolean;
  /** The upload, once it is there as a whole. */
  readonly input: Buffer | undefined;
  readonly onInput: Event<void>;
  print(line: string): void;
  provide(input: Buffer): void;
  end(): void;
}

export interface BuildRuns {
  /** The run of a build, by uid; made when first asked for. */
  of(uid: string): BuildRun;
  forget(uid: string): void;
}

export function createBuildRuns(): BuildRuns {
  const runs = new Map<string, BuildRun>();
  return {
    of(uid) {
      const run = runs.get(uid) ?? createRun();
      runs.set(uid, run);
      return run;
    },
    forget: (uid) => void runs.delete(uid),
  };
}

function createRun(): BuildRun {
  const lines: string[] = [];
  const line = emitter<string>();
  const finished = emitter<void>();
  const arrived = emitter<void>();
  let ended = false;
  let input: Buffer | undefined;
  return {
    lines,
    onLine: line.event,
    onEnd: finished.event,
    onInput: arrived.event,
    get ended() {
      return ended;
    },
    get input() {
      return input;
    },
    print(text) {
      lines.push(text);
      line.fire(text);
    },
    provide(bytes) {
      input = bytes;
      arrived.fire();
    },
    end() {
      if (ended) return;
      ended = true;
      finished.fire();
    },
  };
}
