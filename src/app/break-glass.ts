import { existsSync, readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import type { OperatorAct } from '../core/acts.ts';
import type { Clock, Dispose, Logger } from '../core/ports.ts';

const LOOK_EVERY_MS = 1_000;

const actSchema = z.strictObject({
  act: z.enum(['drain', 'failover', 'hold', 'fence', 'weights']),
  platform: z.string().optional(),
  application: z.string().optional(),
  weights: z.record(z.string(), z.number().min(0)).optional(),
  who: z.string().min(1),
  reason: z.string(),
  /** ISO moment; left out: as long as the file is there. */
  until: z.iso.datetime({ offset: true }).optional(),
});

const fileSchema = z.strictObject({ acts: z.array(actSchema) });

/**
 * The way in when nothing else works: `break-glass.json` in the state folder of the gateway's own machine. No server,
 * no token and no other replica is asked; it is in force as long as it is there.
 */
export function watchBreakGlass(
  file: string,
  onActs: (acts: readonly OperatorAct[]) => void,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Dispose {
  let seen = '';

  function look(): void {
    const stamp = existsSync(file) ? `${statSync(file).mtimeMs} ${statSync(file).size}` : '';
    if (stamp === seen) return;
    seen = stamp;
    if (stamp === '') {
      onActs([]);
      return;
    }
    try {
      const { acts } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      onActs(
        acts.map(({ act, until, weights, ...rest }, index) => ({
          id: `break-glass-${index + 1}`,
          kind: act,
          platform: rest.platform,
          application: rest.application,
          who: rest.who,
          reason: rest.reason,
          ...(weights === undefined ? {} : { weights }),
          since: 0,
          until: until === undefined ? undefined : Date.parse(until),
          breakGlass: true,
        })),
      );
    } catch (error) {
      // What stood there before stays in force: a slip in a hurry must not undo it.
      logger.error(
        { file, err: String(error) },
        'the break-glass file cannot be read; what was in force stays',
      );
    }
  }

  look();
  return clock.every(LOOK_EVERY_MS, look);
}
