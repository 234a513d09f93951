import { dirname } from 'node:path';
import type { Diagnostic } from '../core/diagnostics.ts';
import type { Settings } from '../core/settings.ts';
import { createRedactor, type Redactor } from '../lib/redact.ts';
import { type ConfigDocument, readDocument } from './document.ts';
import type { Fault } from './fault.ts';
import type { LoadOptions } from './options.ts';
import { formatPath, type Path, pathKey } from './path.ts';
import type { PolicySource } from './policy.ts';
import { type ResolvedReference, resolveReferences } from './references.ts';
import { secretsOf } from './secrets.ts';

export interface Session {
  open(source: PolicySource, path: string, isText?: (path: Path) => boolean): ConfigDocument;
  report(document: ConfigDocument, faults: readonly Fault[]): void;
  addSecrets(values: readonly string[]): void;
  diagnostics(): readonly Diagnostic[];
  secrets(): Pick<Settings, 'secrets' | 'references'>;
}

/** What all documents of one load share: what was found wrong, and what must never be shown. */
export function createSession(options: LoadOptions): Session {
  const found: Diagnostic[] = [];
  const references: ResolvedReference[] = [];
  const literals = new Set<string>();
  const inClear: string[] = [];

  function secrets(): readonly string[] {
    return secretsOf(references, literals, inClear);
  }

  return {
    open(source, path, isText = () => false) {
      const sources = { env: options.env, read: options.read, folder: dirname(path) };
      const document = readDocument({
        file: source.file,
        text: source.text,
        resolve: (text) => resolveReferences(text, sources),
        isText,
      });
      found.push(...document.diagnostics);
      references.push(...document.references);
      for (const literal of document.literals) literals.add(literal);
      return document;
    },
    report(document, faults) {
      for (const { severity, path, at, summary, remedy } of faults) {
        if (document.faulty.has(pathKey(path))) continue;
        found.push({
          severity,
          file: document.file,
          ...document.position(path, at),
          path: formatPath(path),
          summary,
          remedy,
        });
      }
    },
    addSecrets: (values) => void inClear.push(...values),
    diagnostics: () => sorted(found, createRedactor(secrets())),
    secrets: () => ({
      secrets: secrets(),
      references: references.filter(({ value }) => value !== ''),
    }),
  };
}

function sorted(found: readonly Diagnostic[], redactor: Redactor): readonly Diagnostic[] {
  const unique = new Map<string, Diagnostic>();
  for (const one of found) {
    const safe = {
      ...one,
      file: redactor.text(one.file),
      summary: redactor.text(one.summary),
      remedy: redactor.text(one.remedy),
    };
    // An alias shows the same fault once for each place it stands for.
    const key = `${one.file}\n${one.line}:${one.column}\n${safe.summary}`;
    if (!unique.has(key)) unique.set(key, safe);
  }
  return [...unique.values()].sort(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column,
  );
}
