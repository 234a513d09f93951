/** What a local platform says is wrong with it. */
export async function activeFaults(controlUrl: string): Promise<readonly string[]> {
  const answer = await fetch(`${controlUrl}/faults`, { keepalive: false });
  const { on } = (await answer.json()) as { on: readonly string[] };
  return on;
}
