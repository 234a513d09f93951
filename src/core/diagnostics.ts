/** What an operator is told about a file: all faults at once, each with its place and what to do. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** Where in the document: `applications.shop.health.every`. */
  readonly path: string;
  readonly summary: string;
  readonly remedy: string;
}

/** `sluice.yaml:12:9 error applications.shop.healt: unknown key — did you mean "health"?` */
export function formatDiagnostic(d: Diagnostic): string {
  const path = d.path === '' ? '' : `${d.path}: `;
  return `${d.file}:${d.line}:${d.column} ${d.severity} ${path}${d.summary} — ${d.remedy}`;
}
