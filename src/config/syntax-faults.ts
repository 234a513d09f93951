import type { Document, ErrorCode } from 'yaml';

interface SyntaxFault {
  readonly offset: number;
  readonly summary: string;
  readonly remedy: string;
  /** A key given twice spoils nothing else; a missing bracket does. */
  readonly meaningSurvives: boolean;
}

const WORDS: Partial<Record<ErrorCode, { readonly summary: string; readonly remedy: string }>> = {
  DUPLICATE_KEY: { summary: 'this key stands here twice', remedy: 'keep one of the two' },
  TAB_AS_INDENT: { summary: 'a tab indents this line', remedy: 'YAML is indented with spaces' },
  BAD_INDENT: {
    summary: 'the indentation does not fit',
    remedy: 'start all keys of a map in the same column',
  },
  MULTIPLE_DOCS: { summary: 'a second document begins here', remedy: 'remove the line ---' },
  BLOCK_AS_IMPLICIT_KEY: { summary: 'a second colon on this line', remedy: 'put a text with ": " in quotes' },
  MISSING_CHAR: { summary: 'something is not closed', remedy: 'add the missing quote or bracket' },
  BAD_SCALAR_START: {
    summary: 'a text cannot begin with this character',
    remedy: 'put the text in quotes',
  },
  TAG_RESOLVE_FAILED: {
    summary: 'tags mean nothing here',
    remedy: 'remove the tag; secrets come in as ${' + 'NAME} or ${' + 'file:PATH}',
  },
};

/** The faults of the YAML itself. After the first that breaks the structure all others are its echoes. */
export function syntaxFaults(document: Document, text: string): readonly SyntaxFault[] {
  const faults: SyntaxFault[] = [];
  let broken = false;
  for (const error of [...document.errors, ...document.warnings]) {
    const meaningSurvives = error.code === 'DUPLICATE_KEY' || error.code === 'TAG_RESOLVE_FAILED';
    if (!meaningSurvives && broken) continue;
    broken ||= !meaningSurvives;
    const offset = error.pos[0];
    const words = isBareReference(text, offset) ? BARE_REFERENCE : WORDS[error.code];
    faults.push({
      offset,
      summary: words?.summary ?? `not valid YAML: ${firstLine(error.message)}`,
      remedy: words?.remedy ?? 'correct the YAML here or just before',
      meaningSurvives,
    });
  }
  if (faults.length === 0 && document.contents === null) {
    faults.push({
      offset: 0,
      summary: 'the file is empty',
      remedy: 'begin with `version: 1`, `platforms:` and `applications:`',
      meaningSurvives: false,
    });
  }
  return faults;
}

const BARE_REFERENCE = {
  summary: 'a reference inside {…} or […] needs quotes',
  remedy: 'write "${' + 'NAME}" with the quotes',
};

/** Inside flow collections `${NAME}` reads as a dollar sign and a map. */
function isBareReference(text: string, offset: number): boolean {
  return text[offset] === '{' && text[offset - 1] === '$';
}

/** Only the sentence: the rest may quote the file, and the file may hold a secret. */
function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/:? ".*$/, '');
}
