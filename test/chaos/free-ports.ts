import { systemRandom } from '../../src/lib/random.ts';
import { findFreePort } from '../../src/runner/free-port.ts';

/** Ports that an origin finds free again when it comes back from the dead. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await findFreePort(ports, systemRandom));
  return [...ports];
}
