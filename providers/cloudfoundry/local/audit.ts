import type { Clock } from '../../../src/core/ports.ts';
import { type AppRow, type CloudState, newRow } from './state.ts';

/** The oldest go first: it is evidence for people, not an archive. */
const KEPT = 2_000;

export interface AuditLog {
  /** `audit.app.start`; actor is the user, or the platform itself for crashes. */
  record(type: string, app: AppRow, data?: Record<string, unknown>): void;
}

export function createAuditLog(state: CloudState, clock: Clock, newId: () => string): AuditLog {
  return {
    record(type, app, data = {}) {
      const row = newRow(clock, newId);
      const space = state.spaces.get(app.spaceGuid);
      const byPlatform = type === 'app.crash' || type.includes('.process.crash');
      state.auditEvents.set(row.guid, {
        ...row,
        type,
        actor: byPlatform
          ? { guid: app.guid, type: 'process', name: app.name }
          : { guid: 'admin', type: 'user', name: 'admin' },
        target: { guid: app.guid, type: 'app', name: app.name },
        spaceGuid: app.spaceGuid,
        organizationGuid: space?.organizationGuid ?? null,
        data,
      });
      if (state.auditEvents.size > KEPT) {
        const [oldest] = state.auditEvents.keys();
        if (oldest !== undefined) state.auditEvents.delete(oldest);
      }
    },
  };
}
