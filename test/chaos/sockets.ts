import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One row of /proc/net/tcp, proc(5). */
export interface TcpSocket {
  readonly inode: number;
  readonly localPort: number;
  readonly remotePort: number;
  readonly state: TcpState;
}

/** The kernel's numbers (include/net/tcp_states.h); what we do not tell apart is `other`. */
export type TcpState = 'established' | 'close-wait' | 'listen' | 'other';

const STATES: Readonly<Record<string, TcpState>> = {
  '01': 'established',
  '08': 'close-wait',
  '0A': 'listen',
};

export function parseTcp(text: string): readonly TcpSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', remote = '', state = '', , , , , , inode] = line.trim().split(/\s+/);
      if (inode === undefined) return [];
      return {
        inode: Number(inode),
        localPort: portOf(local),
        remotePort: portOf(remote),
        state: STATES[state] ?? 'other',
      };
    });
}

/** `0100007F:1F90` → 8080. */
function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}

/** What one process holds open. */
export interface OpenFiles {
  /** Of any kind. */
  readonly files: number;
  readonly sockets: readonly TcpSocket[];
}

/** Throws when the process is gone. */
export function openFilesOf(pid: number): OpenFiles {
  const inodes = new Set<number>();
  const names = readdirSync(`/proc/${pid}/fd`);
  for (const name of names) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkIfThere(`/proc/${pid}/fd/${name}`))?.[1];
    if (inode !== undefined) inodes.add(Number(inode));
  }
  // One table for each family; a listener on `::` shows its IPv4 connections in the second.
  const all = ['tcp', 'tcp6'].flatMap((table) => parseTcp(readIfThere(`/proc/${pid}/net/${table}`)));
  return { files: names.length, sockets: all.filter(({ inode }) => inodes.has(inode)) };
}

/** What a gateway holds open, by whom it is connected to. */
export interface Connections {
  readonly clients: number;
  readonly upstream: number;
  /** Closed by the other side, and still open here. */
  readonly closeWait: number;
}

export function connectionsIn(
  sockets: readonly TcpSocket[],
  ports: { readonly gateway: number; readonly origins: ReadonlySet<number> },
): Connections {
  const connected = sockets.filter(({ state }) => state !== 'listen');
  return {
    clients: connected.filter(({ localPort }) => localPort === ports.gateway).length,
    upstream: connected.filter(({ remotePort }) => ports.origins.has(remotePort)).length,
    closeWait: connected.filter(({ state }) => state === 'close-wait').length,
  };
}

function linkIfThere(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed while we looked.
    return '';
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A machine without IPv6.
    return '';
  }
}
