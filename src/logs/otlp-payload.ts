import type { LogEntry } from '../core/logs.ts';

const INFO = { severityNumber: 9, severityText: 'INFO' };
const WARN = { severityNumber: 13, severityText: 'WARN' };

/** An ExportLogsServiceRequest in OTLP's JSON: one resource for each platform, release and instance. */
export function otlpPayload(entries: readonly LogEntry[]): object {
  const groups = new Map<string, LogEntry[]>();
  for (const entry of entries) {
    const key = JSON.stringify([entry.application, entry.platform, entry.release, entry.instance]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(entry);
  }
  return {
    resourceLogs: [...groups.values()].map((group) => ({
      resource: { attributes: resourceOf(group[0]!) },
      scopeLogs: [{ scope: { name: 'sluice' }, logRecords: group.map(recordOf) }],
    })),
  };
}

function resourceOf({ application, platform, release, number, instance }: LogEntry): readonly object[] {
  return [
    ...attribute('service.name', application),
    ...attribute('service.version', number === undefined ? release : `r${number}`),
    ...attribute('service.instance.id', instance),
    ...attribute('sluice.platform', platform),
    ...attribute('sluice.release', release),
  ];
}

function recordOf({ at, source, text }: LogEntry): object {
  return {
    // 64 bits do not fit a JSON number.
    timeUnixNano: String(BigInt(Math.trunc(at)) * 1_000_000n),
    ...(source === 'sluice' ? WARN : INFO),
    body: { stringValue: text },
    attributes: attribute('log.source', source),
  };
}

function attribute(key: string, value: string | undefined): readonly object[] {
  return value === undefined ? [] : [{ key, value: { stringValue: value } }];
}
