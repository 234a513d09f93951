import type { Acts } from '../core/control.ts';
import type { DrillRecord } from '../core/drill.ts';
import type { Clock } from '../core/ports.ts';
import type { Settings } from '../core/settings.ts';
import { returnLimitMs } from '../engine/drill.ts';

/** Takes back whatever is in force in the name of the drill. */
export async function liftDrill(acts: Acts, drill: DrillRecord): Promise<void> {
  const { id, name, application, platform, who } = drill;
  for (const { kind } of acts.acts().filter((act) => act.drill === id)) {
    const subject = { kind, platform, application, who: `drill ${name}`, reason: `for ${who}` };
    await acts.lift({ ...subject, drill: id });
  }
}

/** A controller before us died in the middle of drills: what they took away is given back. */
export async function giveBack(
  records: readonly DrillRecord[],
  deps: {
    readonly settings: Pick<Settings, 'applications'>;
    readonly acts: Acts;
    readonly clock: Clock;
    readonly ended: (record: DrillRecord) => Promise<void>;
  },
): Promise<void> {
  const { settings, acts, clock, ended } = deps;
  for (const record of records.filter(({ phase }) => phase !== 'over')) {
    await liftDrill(acts, record);
    const why = [...record.why, 'the controller was replaced meanwhile'];
    const over = {
      phase: 'over',
      finishedAt: clock.now(),
      outcome: record.outcome ?? 'interrupted',
    } as const;
    await ended({ ...record, ...over, why });
    const { id, name, application, platform } = record;
    const configured = settings.applications[application];
    if (configured?.targets.some((target) => target.platform === platform) !== true) continue;
    // Nobody follows it any more; it expires.
    const forMs = returnLimitMs(configured.policy);
    const subject = { kind: 'failback', platform, application, drill: id } as const;
    await acts.order({ ...subject, who: `drill ${name}`, reason: why.at(-1) ?? '', forMs, force: false });
  }
  const known = new Set(records.map(({ id }) => id));
  for (const act of acts.acts()) {
    if (act.drill === undefined || known.has(act.drill)) continue;
    const { kind, platform, application, drill, who } = act;
    await acts.lift({ kind, platform, application, drill, who, reason: 'nobody knows this drill' });
  }
}
