import { z } from 'zod';

/** What a buildpack looks at. */
interface BundleFacts {
  readonly packageJson: string | undefined;
  readonly procfile: string | undefined;
  /** Named by the user; one that is named is not asked whether it fits. */
  readonly buildpacks: readonly string[];
}

export interface Detection {
  readonly buildpack: string;
  readonly processTypes: Readonly<Record<string, string>>;
}

const PROCFILE_LINE = /^([A-Za-z0-9_-]+):\s*(.+)$/;

/** Which buildpack takes the bundle and what it would run; `undefined` when none does. */
export function detect(facts: BundleFacts): Detection | undefined {
  const buildpack =
    facts.buildpacks.at(-1) ?? (facts.packageJson === undefined ? undefined : 'nodejs_buildpack');
  if (buildpack === undefined) return undefined;
  const start = startScript(facts.packageJson);
  return {
    buildpack,
    processTypes: { ...(start === undefined ? {} : { web: start }), ...procfileTypes(facts.procfile ?? '') },
  };
}

function procfileTypes(procfile: string): Record<string, string> {
  const types: Record<string, string> = {};
  for (const line of procfile.split(/\r?\n/)) {
    const match = PROCFILE_LINE.exec(line.trim());
    if (match) types[match[1] ?? ''] = (match[2] ?? '').trim();
  }
  return types;
}

const packageSchema = z.object({ scripts: z.object({ start: z.string().optional() }).optional() });

/** The script itself rather than `npm start`: npm would stand between us and the signals. */
function startScript(packageJson: string | undefined): string | undefined {
  if (packageJson === undefined) return undefined;
  try {
    return packageSchema.parse(JSON.parse(packageJson)).scripts?.start;
  } catch {
    return undefined;
  }
}
