import type { LogLine, ProviderContext } from '../../src/core/provider.ts';
import { instanceLabels, selector } from './names.ts';
import { POD } from './resources.ts';
import type { Site } from './site.ts';

const STAMPED = /^(\d{4}-\d\d-\d\dT\S+Z) (.*)$/;

/** Of all pods that there are, newest last. */
export async function logs(
  site: Site,
  context: ProviderContext,
  application: string,
  lines: number,
): Promise<readonly LogLine[]> {
  const pods = await site.client.list(POD, selector(instanceLabels(application)), context.signal);
  const query = { tailLines: lines, timestamps: 'true' };
  const texts = await Promise.all(
    pods.map((pod) => site.client.log(POD, pod.metadata.name, query, context.signal)),
  );
  const all = texts.flatMap((text, i) =>
    (text ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => logLine(line, pods[i]?.metadata.name ?? '', context.now())),
  );
  return all.sort((a, b) => a.at - b.at).slice(-lines);
}

/** `2026-11-20T20:57:18.123456789Z text`, as asked for by `timestamps`. */
function logLine(line: string, instance: string, now: number): LogLine {
  const stamped = STAMPED.exec(line);
  const at = stamped?.[1] === undefined ? Number.NaN : Date.parse(stamped[1]);
  if (Number.isNaN(at)) return { at: now, source: 'app', text: line, instance };
  return { at, source: 'app', text: stamped?.[2] ?? '', instance };
}
