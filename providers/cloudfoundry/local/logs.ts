/** One line as log-cache keeps it. */
export interface LogEnvelope {
  /** Nanoseconds since 1970; two lines of an app never share one. */
  readonly timestampNs: bigint;
  readonly appGuid: string;
  readonly instance: string;
  /** `APP/PROC/WEB`, `STG`, `API`, `CELL`. */
  readonly sourceType: string;
  readonly stream: 'OUT' | 'ERR';
  readonly text: string;
  /** Of an instance's lines. */
  readonly process?: { readonly guid: string; readonly type: string };
}

const KEPT_PER_APP = 2_000;

/** The last lines of every app: what log-cache would hold. */
export interface AppLogs {
  append(at: number, line: Omit<LogEnvelope, 'timestampNs'>): void;
  /** Oldest first, with `startNs <= timestamp < endNs`. */
  read(appGuid: string, startNs: bigint, endNs: bigint): readonly LogEnvelope[];
  /** How many lines of which application are kept, and from when to when. */
  meta(): Readonly<
    Record<string, { readonly count: number; readonly oldest: bigint; readonly newest: bigint }>
  >;
  forget(appGuid: string): void;
}

export function createAppLogs(): AppLogs {
  const byApp = new Map<string, LogEnvelope[]>();
  return {
    append(at, line) {
      const kept = byApp.get(line.appGuid) ?? [];
      byApp.set(line.appGuid, kept);
      const before = kept.at(-1)?.timestampNs ?? 0n;
      const own = BigInt(Math.trunc(at)) * 1_000_000n;
      kept.push({ ...line, timestampNs: own > before ? own : before + 1n });
      if (kept.length > KEPT_PER_APP) kept.splice(0, kept.length - KEPT_PER_APP);
    },
    read: (appGuid, startNs, endNs) =>
      (byApp.get(appGuid) ?? []).filter((line) => line.timestampNs >= startNs && line.timestampNs < endNs),
    meta: () =>
      Object.fromEntries(
        [...byApp].map(([guid, lines]) => [
          guid,
          {
            count: lines.length,
            oldest: lines[0]?.timestampNs ?? 0n,
            newest: lines.at(-1)?.timestampNs ?? 0n,
          },
        ]),
      ),
    forget: (appGuid) => void byApp.delete(appGuid),
  };
}
