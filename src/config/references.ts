import { isAbsolute, join } from 'node:path';

/** One `${…}` of the file and what it stood for. The value is a secret. */
export interface ResolvedReference {
  /** As written: `${CF_PASSWORD}`. */
  readonly from: string;
  readonly value: string;
}

interface ReferenceFault {
  readonly severity: 'error' | 'warning';
  readonly summary: string;
  readonly remedy: string;
}

export interface ResolvedText {
  readonly text: string;
  readonly references: readonly ResolvedReference[];
  readonly faults: readonly ReferenceFault[];
}

interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly read: (path: string) => string;
  /** Absolute folder of the configuration file. */
  readonly folder: string;
}

const TOKEN = /\$\$|\$\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const FILE = /^file:(.+)$/s;
const MAX_SECRET_FILE = 1_048_576;

/** Replaces `${NAME}` and `${file:PATH}` wherever they stand in the text; `$$` is a dollar sign. */
export function resolveReferences(text: string, sources: ReferenceSources): ResolvedText {
  const references: ResolvedReference[] = [];
  const faults: ReferenceFault[] = [];

  function replace(token: string, inner: string | undefined, end: string | undefined): string {
    if (token === '$$') return '$';
    const resolved = end === '' ? malformed() : resolveOne(token, inner ?? '', sources);
    if ('summary' in resolved) {
      faults.push(resolved);
      return token;
    }
    references.push(resolved);
    if (resolved.value === '') faults.push(empty(token));
    return resolved.value;
  }

  // One pass, so that a value which itself contains `${…}` is never resolved again.
  return { text: text.replace(TOKEN, replace), references, faults };
}

function resolveOne(
  token: string,
  inner: string,
  sources: ReferenceSources,
): ResolvedReference | ReferenceFault {
  const file = FILE.exec(inner)?.[1];
  if (file !== undefined) return readSecret(token, expandHome(file.trim(), sources), sources);
  if (!NAME.test(inner)) return malformed();
  const value = Object.hasOwn(sources.env, inner) ? sources.env[inner] : undefined;
  if (value === undefined) {
    return {
      severity: 'error',
      summary: `environment variable ${inner} is not set`,
      remedy: `set ${inner}, or write $$` + `{${inner}} if these very characters are meant`,
    };
  }
  return { from: token, value };
}

function readSecret(
  token: string,
  path: string | undefined,
  sources: ReferenceSources,
): ResolvedReference | ReferenceFault {
  if (path === undefined) return noHome();
  const absolute = isAbsolute(path) ? path : join(sources.folder, path);
  try {
    const value = sources.read(absolute);
    if (value.length > MAX_SECRET_FILE) {
      return {
        severity: 'error',
        summary: `${absolute} is too big for a secret`,
        remedy: 'at most 1Mi is read',
      };
    }
    return { from: token, value: value.replace(/\r?\n$/, '') };
  } catch (caught) {
    return {
      severity: 'error',
      summary: `cannot read ${absolute}: ${whyUnreadable(caught)}`,
      remedy: 'create the file or correct the path; a relative one starts at the folder of this file',
    };
  }
}

/** `~/x` → `$HOME/x`; undefined when there is no HOME to put there. */
export function expandHome(path: string, sources: Pick<ReferenceSources, 'env'>): string | undefined {
  if (path !== '~' && !path.startsWith('~/')) return path;
  const home = sources.env['HOME'];
  return home ? join(home, path.slice(1)) : undefined;
}

export function noHome(): ReferenceFault {
  return {
    severity: 'error',
    summary: 'HOME is not set, so ~/ leads nowhere',
    remedy: 'set HOME or write the whole path',
  };
}

/** The words of the system without its path: `no such file`. */
export function whyUnreadable(caught: unknown): string {
  const isObject = typeof caught === 'object' && caught !== null;
  const code = isObject && 'code' in caught ? String(caught.code) : '';
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return code || 'unknown reason';
}

function malformed(): ReferenceFault {
  return {
    severity: 'error',
    summary: 'not a reference',
    remedy: 'write ${' + 'NAME} or ${' + 'file:PATH}; $${ stands for these two characters themselves',
  };
}

function empty(token: string): ReferenceFault {
  return {
    severity: 'warning',
    summary: `${token} is empty`,
    remedy: 'give it a value if that was not meant',
  };
}
