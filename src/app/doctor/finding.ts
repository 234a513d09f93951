import { SluiceError } from '../../core/errors.ts';

/** One thing that was looked at: what, where, and where it is not well also why and what to do. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'bad';
  /** `Node.js`, `port`, `platform cf-eu`. */
  readonly where: string;
  readonly what: string;
  readonly why?: string;
  readonly remedy?: string;
}

export function ok(where: string, what: string): Finding {
  return { level: 'ok', where, what };
}

/** A failure in the words it came with. */
export function badly(where: string, caught: unknown): Finding {
  const { message, details } = SluiceError.from(caught);
  return {
    ...{ level: 'bad', where, what: message },
    ...(details.why === undefined ? {} : { why: details.why }),
    ...(details.remedy === undefined ? {} : { remedy: details.remedy }),
  };
}
