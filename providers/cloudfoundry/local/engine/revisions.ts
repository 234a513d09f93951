import type { RevisionRow } from '../app-state.ts';
import type { CloudBase } from '../cloud.ts';
import { unprocessable } from '../errors.ts';
import { type AppRow, processesOf } from '../state.ts';
import { emptyMetadata, newRow } from '../state-rows.ts';

type Code = Pick<RevisionRow, 'dropletGuid' | 'env' | 'commands'>;

/** What an application was each time it was started differently. */
export interface Revisions {
  /** The revision of what is started now: the latest, or a new one where something changed; none where they are off. */
  current(app: AppRow): RevisionRow | undefined;
  /** Puts droplet, environment and commands of an earlier one in place, as a new one. */
  rollBack(app: AppRow, to: RevisionRow): RevisionRow;
  of(appGuid: string): readonly RevisionRow[];
}

export function createRevisions(cloud: CloudBase): Revisions {
  const { state, clock } = cloud;

  function of(appGuid: string): RevisionRow[] {
    return [...state.revisions.values()].filter((row) => row.appGuid === appGuid);
  }

  function add(app: AppRow, code: Code, description: string): RevisionRow {
    const row: RevisionRow = {
      ...newRow(clock, cloud.newId),
      appGuid: app.guid,
      version: (of(app.guid).at(-1)?.version ?? 0) + 1,
      ...code,
      description,
      metadata: emptyMetadata(),
    };
    state.revisions.set(row.guid, row);
    cloud.audit.record('audit.app.revision.create', app, {
      revision_guid: row.guid,
      revision_version: row.version,
    });
    return row;
  }

  function codeOf(app: AppRow, dropletGuid: string): Code {
    const types = Object.keys(state.droplets.get(dropletGuid)?.processTypes ?? {});
    const processes = processesOf(state, app.guid);
    const commands: Record<string, string | null> = {};
    for (const type of types) {
      commands[type] = processes.findLast((process) => process.type === type)?.command ?? null;
    }
    return { dropletGuid, env: { ...app.env }, commands };
  }

  return {
    of,
    current(app) {
      if (!(app.features['revisions'] ?? false) || app.dropletGuid === null) return undefined;
      const latest = of(app.guid).at(-1);
      const code = codeOf(app, app.dropletGuid);
      if (!latest) return add(app, code, 'Initial revision.');
      const reasons = differences(latest, code);
      return reasons.length === 0 ? latest : add(app, code, reasons.join(' '));
    },
    rollBack(app, to) {
      const latest = of(app.guid).at(-1);
      const reasons = latest ? differences(latest, to) : [];
      if (reasons.length === 0) {
        throw unprocessable(
          'Unable to rollback. The code and configuration you are rolling back to is the same as the deployed revision.',
        );
      }
      app.env = { ...to.env };
      for (const process of processesOf(state, app.guid)) {
        if (process.type in to.commands) process.command = to.commands[process.type] ?? null;
      }
      const { dropletGuid, env, commands } = to;
      const description = [...reasons, `Rolled back to revision ${to.version}.`].join(' ');
      return add(app, { dropletGuid, env, commands }, description);
    },
  };
}

/** In the Cloud Controller's words, in their order. */
function differences(before: Code, after: Code): readonly string[] {
  const reasons: string[] = [];
  if (before.dropletGuid !== after.dropletGuid) reasons.push('New droplet deployed.');
  if (JSON.stringify(sorted(before.env)) !== JSON.stringify(sorted(after.env))) {
    reasons.push('New environment variables deployed.');
  }
  for (const type of new Set([...Object.keys(before.commands), ...Object.keys(after.commands)])) {
    const was = before.commands[type];
    const is = after.commands[type];
    if (was === is) continue;
    if (was === undefined) reasons.push(`New process type '${type}' added.`);
    else if (is === undefined) reasons.push(`Process type '${type}' removed.`);
    else {
      const verb = was === null ? 'added' : is === null ? 'removed' : 'updated';
      reasons.push(`Custom start command ${verb} for '${type}' process.`);
    }
  }
  return reasons.sort();
}

function sorted(env: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1));
}
