import { z } from 'zod';
import type { LogLine, LogsPage, LogsQuery, ProviderContext } from '../../src/core/provider.ts';
import { isoTime } from '../../src/lib/iso-time.ts';
import { instanceLabels, ownerLabels, RELEASE, selector, trialLabels } from './names.ts';
import { BUILD_RUN, DEPLOYMENT, POD } from './resources.ts';
import type { Site } from './site.ts';
import { buildNumber } from './translate.ts';
import type { Build, Meta } from './wire.ts';

const STAMPED = /^(\d{4}-\d\d-\d\dT\S+Z) (.*)$/;

/** How far one pod or build was read: its newest stamp, and how many lines bear it. */
const markSchema = z.object({ stamp: z.string(), seen: z.number(), restarts: z.number() });
const cursorSchema = z.object({ since: z.number(), marks: z.record(z.string(), markSchema) });
type Cursor = z.output<typeof cursorSchema>;
type Mark = z.output<typeof markSchema>;

/** Something that prints: a pod, or a build. */
interface Source {
  readonly key: string;
  readonly restarts: number;
  readonly read: (query: Record<string, string | number>) => Promise<string | undefined>;
  readonly about: Pick<LogLine, 'source' | 'instance' | 'release'>;
}

interface Stamped {
  readonly stamp: string;
  readonly line: LogLine;
}

/**
 * Of all pods that there are, and of the newest build. The cursor holds a place in each, by the platform's own stamps;
 * of a container that was started anew the end of its run before is read too, as platforms show it that keep one log.
 *
 * Read again and again rather than followed: a stream ends with each run of a container and whenever its log is rotated,
 * and would need the same places to go on from; and nobody would see a line sooner, for lines of several platforms wait
 * for each other anyway.
 */
export async function logs(
  site: Site,
  context: ProviderContext,
  application: string,
  query: LogsQuery,
): Promise<LogsPage> {
  const before: Cursor | undefined =
    query.after === undefined ? undefined : cursorSchema.parse(JSON.parse(query.after));
  const asked = { ...query, ...(before === undefined ? {} : { since: before.since }) };
  const sources = await sourcesOf(site, context, application);
  const parts = await Promise.all(
    sources.map((source) => readNew(source, before?.marks[source.key], asked, context.now())),
  );
  const marks: Record<string, Mark> = {};
  for (const [i, { key, restarts }] of sources.entries()) {
    const mark = markAfter(before?.marks[key], parts[i] ?? [], restarts);
    if (mark !== undefined) marks[key] = mark;
  }
  const lines = parts
    .flat()
    .map(({ line }) => line)
    .sort((a, b) => a.at - b.at);
  return {
    lines: before === undefined ? lines.slice(-query.lines) : lines,
    // Of pods that come later all is new.
    cursor: JSON.stringify({ since: asked.since ?? context.now(), marks } satisfies Cursor),
  };
}

async function sourcesOf(
  { client }: Site,
  { signal }: ProviderContext,
  application: string,
): Promise<readonly Source[]> {
  const [own, builds, trials] = await Promise.all([
    client.list(POD, selector(instanceLabels(application)), signal),
    client.list(BUILD_RUN, selector(ownerLabels(application)), signal),
    client.list(DEPLOYMENT, selector(trialLabels(application)), signal),
  ]);
  // To the platform each is an application of its own.
  const tried = await Promise.all(
    trials.map(({ metadata }) => client.list(POD, selector(instanceLabels(metadata.name)), signal)),
  );
  const pods = [...own, ...tried.flat()];
  const newest = builds.reduce<Build | undefined>(
    (last, build) => (last === undefined || isLater(build, last) ? build : last),
    undefined,
  );
  const sources: Source[] = pods.map(({ metadata, status }) => ({
    key: metadata.name,
    restarts: status.containerStatuses[0]?.restartCount ?? 0,
    read: (query) => client.log(POD, metadata.name, query, signal),
    about: { source: 'app', instance: metadata.name, ...releaseIn(metadata) },
  }));
  if (newest === undefined) return sources;
  const { metadata } = newest;
  const build: Source = {
    key: `build/${metadata.name}`,
    restarts: 0,
    // Else the answer comes when the build begins.
    read: ({ previous: _, ...query }) =>
      client.log(BUILD_RUN, metadata.name, { ...query, nowait: 'true' }, signal),
    about: { source: 'build', instance: metadata.name, ...releaseIn(metadata) },
  };
  return [...sources, build];
}

function isLater(a: Build, b: Build): boolean {
  const [of, than] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return of === than ? buildNumber(a) > buildNumber(b) : of > than;
}

function releaseIn({ labels }: Meta): Pick<LogLine, 'release'> {
  const release = labels[RELEASE];
  return release === undefined ? {} : { release };
}

async function readNew(
  source: Source,
  mark: Mark | undefined,
  { lines, since, after }: LogsQuery,
  now: number,
): Promise<readonly Stamped[]> {
  const from = mark?.stamp ?? (since === undefined ? undefined : isoTime(since));
  const query = {
    timestamps: 'true',
    ...(from === undefined ? {} : { sinceTime: from }),
    ...(after === undefined ? { tailLines: lines } : {}),
  };
  const current = stamped(await source.read(query), source, now);
  // The run before: what it printed at its end explains why there is another.
  const ended =
    source.restarts > (mark?.restarts ?? 0)
      ? stamped(await source.read({ ...query, previous: 'true' }), source, now)
      : [];
  return unseen([...ended, ...current], mark);
}

function stamped(text: string | undefined, source: Source, now: number): readonly Stamped[] {
  return (text ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      // `2026-11-20T20:57:18.123456789Z text`, as asked for by `timestamps`.
      const found = STAMPED.exec(line);
      const at = Date.parse(found?.[1] ?? '');
      if (found === null || Number.isNaN(at)) {
        return { stamp: isoTime(now), line: { at: now, text: line, ...source.about } };
      }
      return { stamp: found[1] ?? '', line: { at, text: found[2] ?? '', ...source.about } };
    });
}

/** `sinceTime` counts whole seconds and includes them: what was read already comes again. */
function unseen(lines: readonly Stamped[], mark: Mark | undefined): readonly Stamped[] {
  if (mark === undefined) return lines;
  let again = mark.seen;
  return lines.filter(({ stamp }) => {
    if (isOlder(stamp, mark.stamp)) return false;
    if (isOlder(mark.stamp, stamp)) return true;
    again -= 1;
    return again < 0;
  });
}

function markAfter(before: Mark | undefined, lines: readonly Stamped[], restarts: number): Mark | undefined {
  const stamp = lines.reduce(
    (last, one) => (isOlder(last, one.stamp) ? one.stamp : last),
    before?.stamp ?? '',
  );
  if (stamp === '') return undefined;
  const seen = lines.filter((one) => one.stamp === stamp).length;
  return { stamp, seen: seen + (before?.stamp === stamp ? before.seen : 0), restarts };
}

/** With as many digits as it likes: `…18.5Z` is after `…18Z`, and `…18.123456789Z` after `…18.123Z`. */
function isOlder(a: string, b: string): boolean {
  return fixed(a) < fixed(b);
}

function fixed(stamp: string): string {
  const [seconds = '', fraction = ''] = stamp.replace(/Z$/, '').split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}
