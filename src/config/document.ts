import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
} from 'yaml';
import type { Diagnostic } from '../core/diagnostics.ts';
import { isSecretKey } from '../lib/redact.ts';
import { formatPath, type Path, pathKey } from './path.ts';
import type { ResolvedReference, ResolvedText } from './references.ts';
import { syntaxFaults } from './syntax-faults.ts';

/** A YAML file as plain values, with the place of everything in it. */
export interface ConfigDocument {
  readonly file: string;
  /** Plain objects, lists, texts, numbers, booleans, null; keys beginning with `x-` are gone, but for header fields. */
  readonly value: unknown;
  /** False: the text is not YAML, and checking its meaning would only give echoes of that. */
  readonly readable: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly references: readonly ResolvedReference[];
  /** Keys and texts that stand in clear in the file, but those called a secret. */
  readonly literals: ReadonlySet<string>;
  /** Paths already reported or resolved with a fault: what is said about their value is an echo. */
  readonly faulty: ReadonlySet<string>;
  /** The `${…}` in the value at this path, as written. */
  origins(path: Path): readonly string[];
  /** 1-based; the nearest thing above when nothing stands at the path. */
  position(path: Path, at: 'key' | 'value'): { readonly line: number; readonly column: number };
}

interface ReadOptions {
  readonly file: string;
  readonly text: string;
  readonly resolve: (text: string) => ResolvedText;
  /** Values that are texts whatever they look like: `1.10` stays `1.10` in an environment. */
  readonly isText: (path: Path) => boolean;
}

/** Aliases multiply what they stand for; these bound a file made to blow up. */
const MAX_VALUES = 50_000;
const MAX_DEPTH = 50;

export function readDocument(options: ReadOptions): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(options.text, { lineCounter: lines, prettyErrors: false });
  const syntax = syntaxFaults(document, options.text);
  const reader = createReader(document, options, lines);
  const readable = syntax.every((fault) => fault.meaningSurvives);
  const value = readable && document.contents !== null ? reader.read(document.contents) : undefined;
  const diagnostics: Diagnostic[] = [...reader.diagnostics];
  for (const { offset, summary, remedy } of syntax)
    diagnostics.push(reader.diagnostic(offset, [], summary, remedy));
  return {
    file: options.file,
    value,
    readable: readable && !reader.exhausted(),
    diagnostics,
    references: reader.references,
    literals: reader.literals,
    faulty: reader.faulty,
    origins: (path) => reader.origins.get(pathKey(path)) ?? [],
    position: reader.position,
  };
}

type Severity = Diagnostic['severity'];

function createReader(document: Document, options: ReadOptions, lines: LineCounter) {
  const places = new Map<string, { readonly key: number | undefined; readonly value: number }>();
  const diagnostics: Diagnostic[] = [];
  const references: ResolvedReference[] = [];
  const literals = new Set<string>();
  const faulty = new Set<string>();
  const origins = new Map<string, readonly string[]>();
  /** Collections we are inside of: an alias to one of them would never end. */
  const open = new Set<unknown>();
  let values = 0;
  let exhausted = false;

  function positionOf(offset: number): { line: number; column: number } {
    const { line, col } = lines.linePos(Math.min(offset, options.text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  function position(path: Path, at: 'key' | 'value'): { line: number; column: number } {
    for (let length = path.length; length >= 0; length--) {
      const place = places.get(pathKey(path.slice(0, length)));
      if (place === undefined) continue;
      // Something is missing below: its parent's key says more than the first character of its content.
      const useKey = at === 'key' || length < path.length;
      return positionOf(useKey ? (place.key ?? place.value) : place.value);
    }
    return { line: 1, column: 1 };
  }

  function diagnostic(
    offset: number,
    path: Path,
    summary: string,
    remedy: string,
    severity: Severity = 'error',
  ): Diagnostic {
    return { severity, file: options.file, ...positionOf(offset), path: formatPath(path), summary, remedy };
  }

  function refuse(offset: number, path: Path, summary: string, remedy: string): undefined {
    diagnostics.push(diagnostic(offset, path, summary, remedy));
    faulty.add(pathKey(path));
    return undefined;
  }

  function read(node: unknown, path: Path = [], keyOffset?: number): unknown {
    const offset = offsetOf(node) ?? keyOffset ?? 0;
    const isEmpty = isScalar(node) && node.value === null;
    places.set(pathKey(path), { key: keyOffset, value: isEmpty ? (keyOffset ?? offset) : offset });
    values++;
    if (values > MAX_VALUES || path.length > MAX_DEPTH) {
      if (!exhausted)
        refuse(
          offset,
          path,
          'the file is too big once its aliases are expanded',
          'write it without so many aliases',
        );
      exhausted = true;
      return undefined;
    }
    if (isAlias(node)) return readAlias(node, path, offset, keyOffset);
    if (isScalar(node)) return readScalar(node, path, offset);
    if (!isMap(node) && !isSeq(node)) return null;
    open.add(node);
    const value = isMap(node)
      ? readMap(node.items, path)
      : node.items.map((item, i) => read(item, [...path, i]));
    open.delete(node);
    return value;
  }

  function readAlias(node: Alias, path: Path, offset: number, keyOffset: number | undefined): unknown {
    const target = node.resolve(document);
    if (target === undefined) {
      return refuse(offset, path, `no anchor &${node.source} stands before this alias`, 'define it above');
    }
    if (open.has(target))
      return refuse(offset, path, `the alias *${node.source} contains itself`, 'write it out');
    const value = read(target, path, keyOffset);
    // Faults in what it stands for point there; faults about its being here point here.
    if (typeof value !== 'object' || value === null)
      places.set(pathKey(path), { key: keyOffset, value: offset });
    return value;
  }

  function addLiteral(path: Path, text: string): void {
    if (!isSecretKey(String(path.at(-1)))) literals.add(text);
  }

  function readScalar(node: { value: unknown; source?: string }, path: Path, offset: number): unknown {
    const asText = options.isText(path) && node.value !== null && typeof node.value !== 'string';
    const value = asText ? (node.source ?? String(node.value)) : node.value;
    if (typeof value !== 'string') return value;
    const resolved = options.resolve(value);
    if (resolved.references.length === 0) addLiteral(path, resolved.text);
    else
      origins.set(
        pathKey(path),
        resolved.references.map((reference) => reference.from),
      );
    references.push(...resolved.references);
    for (const { severity, summary, remedy } of resolved.faults) {
      diagnostics.push(diagnostic(offset, path, summary, remedy, severity));
      if (severity === 'error') faulty.add(pathKey(path));
    }
    return resolved.text;
  }

  function readMap(items: readonly Pair[], path: Path): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    readPairs(items, path, entries);
    return Object.fromEntries(entries);
  }

  /** Adds what is not there yet: a map's own keys come first, so they win over what it merges. */
  function readPairs(items: readonly Pair[], path: Path, entries: Map<string, unknown>): void {
    const merges: Pair[] = [];
    for (const pair of items) {
      const key = keyText(pair.key);
      const offset = offsetOf(pair.key) ?? 0;
      if (key === '<<') {
        merges.push(pair);
      } else if (key === undefined || key === '__proto__') {
        refuse(offset, path, 'this cannot be a key', 'keys are plain words');
      } else if (!isRemark(key, path) && !entries.has(key)) {
        literals.add(key);
        entries.set(key, read(pair.value, [...path, key], offset));
      }
    }
    for (const merge of merges) readMerge(merge, path, entries);
  }

  /** `<<: *base` and `<<: [*a, *b]`: the first that has a key gives it. */
  function readMerge(merge: Pair, path: Path, entries: Map<string, unknown>): void {
    const sources = isSeq(merge.value) ? merge.value.items : [merge.value];
    for (const source of sources) {
      const target = isAlias(source) ? source.resolve(document) : source;
      if (!isMap(target) || open.has(target)) {
        refuse(
          offsetOf(source) ?? 0,
          path,
          '<< takes maps',
          'write <<: *anchor, with the anchor on a map above',
        );
        continue;
      }
      open.add(target);
      readPairs(target.items, path, entries);
      open.delete(target);
    }
  }

  return {
    read: (node: unknown) => read(node),
    diagnostic,
    diagnostics,
    references,
    literals,
    faulty,
    origins,
    position,
    exhausted: () => exhausted,
  };
}

/** `x-` keys are whoever wrote them's own; but not among header fields, which are called so. */
function isRemark(key: string, path: Path): boolean {
  return key.startsWith('x-') && path.at(-1) !== 'headers';
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function keyText(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}
