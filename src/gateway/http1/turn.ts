import type { TurnClock } from '../../lib/turn-clock.ts';

export interface TurnTask {
  /** All that came in one piece has been dealt with. */
  turnEnded(): void;
}

/**
 * One callback of a socket and all it leads to. What is to be written waits for its end and goes out in one piece, and
 * so do calls that must not come from within another call.
 */
export class Turn {
  #depth = 0;
  #scheduled = false;
  /** The first `#waiting` of them; the array keeps its length, for giving the rest back and taking it again costs more. */
  readonly #tasks: (TurnTask | undefined)[] = [];
  #waiting = 0;
  readonly #time: TurnClock;

  constructor(time: TurnClock) {
    this.#time = time;
  }

  begin(): void {
    if (this.#depth === 0) this.#time.begin();
    this.#depth += 1;
  }

  end(): void {
    this.#depth -= 1;
    if (this.#depth > 0) return;
    if (this.#waiting > 0) this.#run();
    this.#time.end();
  }

  /** At the end of this turn, or, outside of any, in a microtask. In the order of asking. */
  atEnd(task: TurnTask): void {
    this.#tasks[this.#waiting] = task;
    this.#waiting += 1;
    if (this.#depth > 0 || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.begin();
      this.end();
    });
  }

  #run(): void {
    const tasks = this.#tasks;
    // What a task leads to belongs to the same turn.
    this.#depth = 1;
    for (let i = 0; i < this.#waiting; i += 1) {
      const task = tasks[i]!;
      tasks[i] = undefined;
      task.turnEnded();
    }
    this.#depth = 0;
    this.#waiting = 0;
  }
}
