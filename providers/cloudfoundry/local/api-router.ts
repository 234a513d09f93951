import type { ApiRoute } from './api-types.ts';

export interface Match {
  readonly route: ApiRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** Exact segments win over `:named` ones, whatever the order of the table. */
export function createApiRouter(
  routes: readonly ApiRoute[],
): (method: string, path: string) => Match | undefined {
  const compiled = routes.map((route) => ({ route, segments: split(route.pattern) }));
  compiled.sort((a, b) => wildness(a.segments) - wildness(b.segments));

  return function match(method, path) {
    const segments = split(path);
    for (const candidate of compiled) {
      if (candidate.route.method !== method) continue;
      const params = matchSegments(candidate.segments, segments);
      if (params) return { route: candidate.route, params };
    }
    return undefined;
  };
}

function split(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function wildness(pattern: readonly string[]): number {
  return pattern.filter((segment) => segment.startsWith(':')).length;
}

function matchSegments(
  pattern: readonly string[],
  path: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== path.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const actual = path[index] ?? '';
    if (wanted.startsWith(':')) params[wanted.slice(1)] = actual;
    else if (wanted !== actual) return undefined;
  }
  return params;
}
