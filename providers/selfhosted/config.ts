import { z } from 'zod';

const DRIVERS_NOT_YET: readonly string[] = ['docker', 'ssh'];

/** A platform's block in sluice.yaml, without `provider`. */
export const schema = z.strictObject({
  /** How instances are run: `process` runs them as children of `sluice host` on this machine. */
  driver: z
    .string()
    .default('process')
    .superRefine((driver, context) => {
      if (driver === 'process') return;
      const message = DRIVERS_NOT_YET.includes(driver)
        ? `not built yet: driver "${driver}"; use "process"`
        : `there is no driver "${driver}"; use "process"`;
      context.addIssue({ code: 'custom', message });
    }),
  /** Where `sluice host` listens; relative to the folder in which Sluice runs. */
  socket: z.string().min(1).default('.sluice/host.sock'),
});

export type Options = z.output<typeof schema>;
