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
}

const KEPT_PER_APP = 2_000;

/** The last lines of every app: what log-cache would hold. */
export interface AppLogs {
  append(at: number, line: Omit<LogEnvelope, 'timestampNs'>): void;
  /** Oldest first, with `startNs <= timestamp < endNs`. */
  read(appGuid: string, startNs: bigint, endNs: bigint): readonly LogEnvelope[];
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
    forget: (appGuid) => void byApp.delete(appGuid),
  };
}
