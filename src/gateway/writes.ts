import type { PlatformName } from '../core/ids.ts';
import type { TableWrites } from '../core/routing-table.ts';
import type { CompiledRoute, CompiledTarget } from './routes.ts';

/** Of a route whose unsafe requests may not go everywhere (invariant 11). */
export interface CompiledWrites {
  readonly kind: TableWrites['kind'];
  /** A request stays with the writer of the epoch it came in. */
  readonly epoch: number;
  /** The route with the writer's targets alone; undefined: nobody takes unsafe requests. */
  readonly way: CompiledRoute | undefined;
}

/** What the application is told with every request: may it write, and since which epoch. */
export interface RoleFields {
  readonly fields: readonly string[];
  /** The same as bytes have it. */
  readonly lines: string;
}

/** Until a next writer is promoted, as a rule. */
export const NO_WRITER_RETRY_S = 5;

export const SAFE_METHODS = 'GET, HEAD, OPTIONS';

export function isUnsafe(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

/** `all`: every target of the table, also one that drains and gets nothing else that is new. */
export function compileWrites(
  writes: TableWrites,
  route: CompiledRoute,
  all: readonly CompiledTarget[],
): CompiledWrites {
  if (writes.kind === 'none') return { kind: 'none', epoch: 0, way: undefined };
  const { writer, epoch } = writes;
  const own = all.filter(({ platform }) => platform === writer);
  const targets = [...own.filter(({ trial }) => !trial), ...own.filter(({ trial }) => trial)];
  // Whose session is elsewhere writes here all the same.
  const way = targets.length === 0 ? undefined : { ...route, targets, sessions: undefined };
  return { kind: 'single', epoch, way };
}

export function roleOf(writes: TableWrites | undefined, platform: PlatformName): RoleFields | undefined {
  if (writes === undefined) return undefined;
  const isWriter = writes.kind === 'single' && writes.writer === platform;
  const fields = ['x-sluice-role', isWriter ? 'writer' : 'reader'];
  if (writes.kind === 'single') fields.push('x-sluice-epoch', String(writes.epoch));
  let lines = '';
  for (let i = 0; i + 1 < fields.length; i += 2) lines += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return { fields, lines };
}
