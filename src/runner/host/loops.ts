/**
 * Runs `work` for a key so often that it has run once after the last `kick`, and never twice at a time for one key.
 * So whoever changes what is wanted need not know whether somebody is at work on it.
 */
interface Loops {
  kick(key: string): void;
  /** No further runs; what is under way ends by itself. */
  close(): void;
}

export function createLoops(
  work: (key: string) => Promise<void>,
  failed: (key: string, error: unknown) => void,
): Loops {
  /** Keys at work; true when they must run once more. */
  const again = new Map<string, boolean>();
  let closed = false;

  async function loop(key: string): Promise<void> {
    try {
      while (again.get(key) === true && !closed) {
        again.set(key, false);
        await work(key);
      }
    } catch (error) {
      failed(key, error);
    } finally {
      again.delete(key);
    }
  }

  return {
    kick(key) {
      const idle = !again.has(key);
      again.set(key, true);
      if (idle) void loop(key);
    },
    close() {
      closed = true;
    },
  };
}
