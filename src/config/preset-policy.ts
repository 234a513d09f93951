import type { Diagnostic } from '../core/diagnostics.ts';
import { DEFAULT_POLICY, type PolicySettings } from '../core/settings.ts';
import { type ConfigDocument, readDocument } from './document.ts';
import type { Fault } from './fault.ts';
import { decodePolicy, type PolicySource } from './policy.ts';

/** A preset by its name, outside any configuration file; undefined when there is none of this name. */
export function presetPolicy(
  name: string,
  presets: Readonly<Record<string, PolicySource>>,
): PolicySettings | undefined {
  return readPolicy(name, presets).policy;
}

export interface ReadPolicy {
  readonly policy: PolicySettings | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** The same with all that is wrong with it, by its place. */
export function readPolicy(name: string, presets: Readonly<Record<string, PolicySource>>): ReadPolicy {
  const diagnostics: Diagnostic[] = [];
  function report(document: ConfigDocument, faults: readonly Fault[]): void {
    diagnostics.push(...document.diagnostics, ...faults.map((fault) => diagnosed(document, fault)));
  }
  const decoded = decodePolicy(name, ['policy'], EMPTY, {
    presets,
    env: {},
    read: () => {
      throw new Error('presets read no files');
    },
    folder: '/',
    open(source) {
      const document = open(source);
      if (!document.readable) diagnostics.push(...document.diagnostics);
      return document;
    },
    report,
  });
  return {
    policy: decoded.settings,
    diagnostics: [...diagnostics, ...decoded.faults.map((fault) => diagnosed(EMPTY, fault))],
  };
}

function diagnosed(document: ConfigDocument, { severity, path, at, summary, remedy }: Fault): Diagnostic {
  const { file } = document;
  return { severity, file, ...document.position(path, at), path: path.join('.'), summary, remedy };
}

function open(source: PolicySource): ConfigDocument {
  return readDocument({
    file: source.file,
    text: source.text,
    resolve: (text) => ({ text, references: [], faults: [] }),
    isText: () => false,
  });
}

const EMPTY = open({ file: '', text: `name: ${DEFAULT_POLICY.name}` });
