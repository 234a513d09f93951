/**
 * Calls back when the system was asked once more what has come, on all sockets: what it knew before this call, the end
 * of a kept connection above all, has been told by then. The first callback may still stand in the round that is under
 * way, so it takes two.
 */
export function afterPoll(run: () => void): void {
  setImmediate(() => setImmediate(run));
}
