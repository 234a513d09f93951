import { z } from 'zod';
import type { ProcessSettings } from './translate.ts';

/**
 * Cloud Foundry's environment belongs to the application, not to the droplet: cancelling a deployment brings the old
 * code back and leaves the new environment. So the change and the way back are written in ONE request, the way back
 * as a variable among the others: it is as secret as they are, any process of ours can find it after a crash, and it
 * goes when the release has come up. Only what changed is in it.
 */
export const UNDO = 'SLUICE_UNDO';

export type Environment = Readonly<Record<string, string>>;

const undoSchema = z.object({
  /** The release whose arrival can be undone. */
  release: z.string(),
  /** Also a label of the deployment that brings the change: so it is known again after a crash, even when it has ended. */
  attempt: z.string(),
  env: z.record(z.string(), z.string().nullable()),
  process: z.object({
    command: z.string().nullable(),
    memoryMb: z.number(),
    check: z.object({ type: z.string(), endpoint: z.string().nullable(), timeout: z.number().nullable() }),
  }),
});
type Undo = z.output<typeof undoSchema>;

/** Variable names to new values; null removes: the body of `PATCH /v3/apps/:guid/environment_variables`. */
type EnvironmentPatch = Readonly<Record<string, string | null>>;

export function split(variables: Readonly<Record<string, string | null>>): {
  readonly env: Environment;
  readonly undo: Undo | undefined;
} {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (name !== UNDO && value !== null) env[name] = value;
  }
  return { env, undo: parseUndo(variables[UNDO]) };
}

export function difference(from: Environment, to: Environment): EnvironmentPatch {
  const patch: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(to)) if (from[name] !== value) patch[name] = value;
  for (const name of Object.keys(from)) if (to[name] === undefined) patch[name] = null;
  return patch;
}

export function applied(env: Environment, patch: EnvironmentPatch): Environment {
  const next: Record<string, string> = { ...env };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete next[name];
    else next[name] = value;
  }
  return next;
}

/**
 * The patch that brings `want` and its way back. When an earlier release never came up, the way back leads past it to
 * what served before.
 */
export function forward(
  { release, attempt }: Pick<Undo, 'release' | 'attempt'>,
  current: { readonly env: Environment; readonly undo: Undo | undefined; readonly process: ProcessSettings },
  want: Environment,
): EnvironmentPatch {
  const good = current.undo ? applied(current.env, current.undo.env) : current.env;
  const process = current.undo?.process ?? current.process;
  const undo: Undo = { release, attempt, env: difference(want, good), process };
  return { ...difference(current.env, want), [UNDO]: JSON.stringify(undo) };
}

export function backward(undo: Undo): EnvironmentPatch {
  return { ...undo.env, [UNDO]: null };
}

function parseUndo(text: string | null | undefined): Undo | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    return undoSchema.parse(JSON.parse(text));
  } catch {
    // Somebody else wrote it; then there is no way back that we know.
    return undefined;
  }
}
