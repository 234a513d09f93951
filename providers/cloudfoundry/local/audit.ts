import type { Clock } from '../../../src/core/ports.ts';
import type { AppRow, AuditEventRow, CloudState } from './state.ts';
import { newRow } from './state-rows.ts';

/** The oldest go first: it is evidence for people, not an archive. */
const KEPT = 2_000;

interface AuditTarget {
  readonly guid: string;
  readonly name: string;
  /** `app`, `route`, `service_instance`. */
  readonly type: string;
  readonly spaceGuid: string;
}

export interface AuditLog {
  /** `audit.app.start`; actor is the user, or the process itself for crashes. */
  record(type: string, app: AppRow, data?: Record<string, unknown>): void;
  /** The same for what is no app. */
  recordFor(type: string, target: AuditTarget, data?: Record<string, unknown>): void;
}

export function createAuditLog(
  state: CloudState,
  clock: Clock,
  newId: () => string,
  userGuid: string,
): AuditLog {
  const user = { guid: userGuid, type: 'user', name: 'admin' };

  function keep(
    type: string,
    actor: AuditEventRow['actor'],
    target: AuditTarget,
    data: Record<string, unknown>,
  ): void {
    const row = newRow(clock, newId);
    const space = state.spaces.get(target.spaceGuid);
    state.auditEvents.set(row.guid, {
      ...row,
      type,
      actor,
      target: { guid: target.guid, type: target.type, name: target.name },
      spaceGuid: target.spaceGuid,
      organizationGuid: space?.organizationGuid ?? null,
      data,
    });
    if (state.auditEvents.size > KEPT) {
      const [oldest] = state.auditEvents.keys();
      if (oldest !== undefined) state.auditEvents.delete(oldest);
    }
  }

  return {
    record(type, app, data = {}) {
      const byProcess = type === 'app.crash' || type.includes('.process.crash');
      const actor = byProcess ? { guid: app.guid, type: 'process', name: app.name } : user;
      keep(type, actor, { guid: app.guid, name: app.name, type: 'app', spaceGuid: app.spaceGuid }, data);
    },
    recordFor: (type, target, data = {}) => keep(type, user, target, data),
  };
}
