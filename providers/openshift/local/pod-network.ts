/**
 * Pods have addresses of their own on the real platform; here every process has a port of its own on loopback. This is
 * the map between the two, so that the API can show the one and the router use the other.
 */
export interface PodNetwork {
  /** The next free pod address. */
  allocate(): string;
  /** From now on `address:containerPort` is the loopback port; `containerPort` 0 stands for every undeclared one. */
  connect(address: string, containerPort: number, port: number): void;
  disconnect(address: string): void;
  /** Undefined: nobody listens there. */
  resolve(address: string, containerPort: number): number | undefined;
}

export function createPodNetwork(): PodNetwork {
  const ports = new Map<string, Map<number, number>>();
  let allocated = 0;
  return {
    allocate() {
      allocated += 1;
      return `10.128.${(allocated >> 8) & 255}.${allocated & 255}`;
    },
    connect(address, containerPort, port) {
      const known = ports.get(address) ?? new Map<number, number>();
      ports.set(address, known.set(containerPort, port));
    },
    disconnect: (address) => void ports.delete(address),
    resolve(address, containerPort) {
      const known = ports.get(address);
      return known?.get(containerPort) ?? known?.get(0);
    },
  };
}
