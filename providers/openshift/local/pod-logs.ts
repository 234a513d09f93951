import type { Event } from '../../../src/core/ports.ts';
import { emitter } from '../../../src/lib/emitter.ts';

const KEPT = 2_000;

export interface ContainerLine {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly text: string;
}

/** What containers printed, this run and the one before; lives as long as the pod. */
export interface PodLogs {
  append(pod: string, container: string, line: ContainerLine): void;
  /** A new run begins: what is there becomes the previous. */
  restart(pod: string, container: string): void;
  lines(pod: string, container: string, previous: boolean): readonly ContainerLine[];
  forget(pod: string): void;
  readonly onLine: Event<{ readonly pod: string; readonly container: string; readonly line: ContainerLine }>;
  readonly onForget: Event<string>;
}

export function createPodLogs(): PodLogs {
  const logs = new Map<string, { now: ContainerLine[]; before: ContainerLine[] }>();
  const printed = emitter<{ pod: string; container: string; line: ContainerLine }>();
  const forgotten = emitter<string>();

  function log(pod: string, container: string): { now: ContainerLine[]; before: ContainerLine[] } {
    const key = `${pod}/${container}`;
    const found = logs.get(key) ?? { now: [], before: [] };
    logs.set(key, found);
    return found;
  }

  return {
    append(pod, container, line) {
      const { now } = log(pod, container);
      now.push(line);
      if (now.length > KEPT) now.shift();
      printed.fire({ pod, container, line });
    },
    restart(pod, container) {
      const found = log(pod, container);
      found.before = found.now;
      found.now = [];
    },
    lines(pod, container, previous) {
      const found = log(pod, container);
      return previous ? found.before : found.now;
    },
    forget(pod) {
      for (const key of [...logs.keys()]) if (key.startsWith(`${pod}/`)) logs.delete(key);
      forgotten.fire(pod);
    },
    onLine: printed.event,
    onForget: forgotten.event,
  };
}
