import type { LoggedEvent } from '../../src/core/events.ts';
import { notesOf } from '../../src/lib/application-notes.ts';
import { isoTime } from '../../src/lib/iso-time.ts';
import { fit, type Line, span, type Tone, wrap, wrapAtMost } from './cells.ts';
import { type Look, VERDICT_TONES } from './look.ts';
import { type Data, isSelected, type Model, rowsOf } from './model.ts';

const EVENT_LINES = 3;
const NOTES = 3;

/** `14:03:22`, in UTC like everything Sluice prints. */
export function timeOfDay(at: number): string {
  return isoTime(at).slice(11, 19);
}

export function ruleLine(title: string, look: Look, width: number): Line {
  const text = `${look.rule}${look.rule} ${title} `;
  return [span(text + look.rule.repeat(Math.max(0, width - text.length)), 'dim')];
}

/** What is known of the selected platform and has no room in its row: three lines. */
export function detailLines(data: Data, model: Model, look: Look, width: number): readonly Line[] {
  const row = rowsOf(data.status).find((one) => isSelected(one, model.selected));
  if (!row) return [[], [], []];
  const { verdict, api, provider, name, tier, ejectedOrigins, origins } = row.platform;
  const ejected = ejectedOrigins === 0 ? '' : `, ${ejectedOrigins} of ${origins} origins ejected`;
  const title = look.clean(`${name} (${provider}, tier ${tier}${ejected}): ${verdict.cause}`);
  const facts = [
    ...(api?.reachable === false ? [`API down: ${api.error ?? 'no answer'}`] : []),
    ...verdict.evidence,
  ];
  const tone = api?.reachable === false ? 'warn' : 'dim';
  const evidence = wrapAtMost(2, look.cut, `  ${look.clean(facts.join('; '))}`, width, 2);
  return [
    [span(fit(title, width, look.cut), VERDICT_TONES[verdict.state])],
    ...[0, 1].map((index) => [span(evidence[index] ?? '', tone)]),
  ];
}

/** The worst that is to be known of applications as a whole; nothing where all is well. */
export function applicationNotes({ status }: Data, look: Look, width: number): readonly Line[] {
  const applications = status?.applications ?? [];
  const notes = applications.flatMap((application) =>
    notesOf(application, status?.at ?? 0).map((note) => ({ ...note, name: application.name })),
  );
  const shown = notes.filter(({ tone }) => tone !== 'plain').slice(0, NOTES);
  return shown.map(({ tone, text, name }) => {
    const line = applications.length > 1 ? `${name}: ${text}` : text;
    return [span(fit(look.clean(line), width, look.cut), tone)];
  });
}

/** The newest events that fit, newest last; each with its time, its reasons wrapped below. */
export function eventLines(data: Data, look: Look, width: number, height: number): readonly Line[] {
  const events = [...(data.status?.recent ?? []), ...data.since];
  const known = new Set<number>();
  const lines: Line[] = [];
  for (const event of events.reverse()) {
    if (lines.length >= height) break;
    // The same event may have come by itself and with a status.
    if (known.has(event.seq)) continue;
    known.add(event.seq);
    const text = `${timeOfDay(event.at)} ${look.describe(event)}`;
    const shown = wrapAtMost(EVENT_LINES, look.cut, text, width, 9);
    const tone = toneOf(event);
    lines.unshift(...shown.map((line) => [span(line.slice(0, 9), 'dim'), span(line.slice(9), tone)]));
  }
  // The oldest may be cut at its top.
  return lines.slice(Math.max(0, lines.length - height));
}

function toneOf(event: LoggedEvent): Tone {
  switch (event.type) {
    case 'verdict.changed':
      return VERDICT_TONES[event.to];
    case 'decision.made':
      return 'strong';
    case 'origin.ejected':
    case 'platform.api.down':
    case 'process.exited':
    case 'scale.waiting':
      return 'warn';
    case 'scale.refused':
    case 'writer.failed':
      return 'bad';
    case 'scale.finished':
    case 'writer.promoted':
      return 'good';
    case 'platform.api.up':
      return 'good';
    case 'deployment.target':
      return event.outcome === 'live' ? 'good' : event.outcome === 'failed' ? 'bad' : 'warn';
    default:
      return 'plain';
  }
}

/** What the demo said last: wrapped, newest last. */
export function noteLines(
  notes: readonly string[],
  look: Look,
  width: number,
  height: number,
): readonly Line[] {
  const lines = notes.flatMap((note) => wrap(look.clean(note), width, 4));
  return lines.slice(Math.max(0, lines.length - height)).map((line) => [span(line)]);
}

/** `deploying shop r2: cf staging · ocp starting`. */
export function deploymentLine(data: Data, look: Look): Line | undefined {
  const { deployment } = data;
  if (!deployment) return undefined;
  const phases = Object.entries(deployment.phases).map(([platform, phase]) => `${platform} ${phase}`);
  return [span(look.clean(`deploying ${deployment.label}: ${phases.join(` ${look.dot} `)}`), 'busy')];
}
