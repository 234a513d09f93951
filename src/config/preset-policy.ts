import { DEFAULT_POLICY, type PolicySettings } from '../core/settings.ts';
import { type ConfigDocument, readDocument } from './document.ts';
import { decodePolicy, type PolicySource } from './policy.ts';

/** A preset by its name, outside any configuration file; undefined when there is none of this name. */
export function presetPolicy(
  name: string,
  presets: Readonly<Record<string, PolicySource>>,
): PolicySettings | undefined {
  const decoded = decodePolicy(name, ['policy'], EMPTY, {
    presets,
    env: {},
    read: () => {
      throw new Error('presets read no files');
    },
    folder: '/',
    open,
    report: () => undefined,
  });
  return decoded.settings;
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
