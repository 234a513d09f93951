import type { ApplicationStatus, PlatformStatus, WritesStatus } from '../core/status.ts';
import { driftText } from './drift-text.ts';
import { isoTime } from './iso-time.ts';
import { stoppedText } from './stopped-status.ts';

/** `bad`: requests suffer or a person is needed; `warn`: they would, or something is under way. */
export interface Note {
  readonly tone: 'bad' | 'warn' | 'plain';
  readonly text: string;
}

const RANK = { bad: 0, warn: 1, plain: 2 } as const;

/** What is to be known of an application as a whole, and of what is done beside moving traffic; worst first. */
export function notesOf(application: ApplicationStatus, at: number): readonly Note[] {
  const { frozen, shed, platforms, attribution = [], intents = [] } = application;
  const notes: Note[] = [];
  const add = (tone: Note['tone'], text: string): void => void notes.push({ tone, text });

  if (shed !== undefined)
    add(
      'bad',
      `${percent(shed)} of the requests are answered 503: no capacity for them${shedText(application)}`,
    );
  if (frozen !== undefined) {
    const since = isoTime(frozen.since).slice(11, 19);
    const lift = `sluice unhold --app ${application.name}`;
    add('bad', `automation is frozen since ${since}: ${frozen.why}; when you have looked: ${lift}`);
  }
  notes.push(...writesNotes(application.writes));
  for (const { summary, culprit, remedy } of attribution) add('warn', `${summary} (${culprit}; ${remedy})`);
  for (const intent of intents) {
    if (intent.kind === 'propose') {
      const where = intent.platform === undefined ? '' : ` of ${intent.platform}`;
      add('warn', `proposed, for you to decide: ${intent.what}${where}: ${intent.reason}`);
    } else if (intent.kind === 'freeze-deployments') {
      add('warn', `no deployment begins on ${intent.platform} until its API answers`);
    }
  }
  for (const { name, stopped } of platforms) {
    if (stopped !== undefined) add('warn', `${name} is ${stoppedText(stopped)}; sluice start runs it again`);
  }
  for (const platform of platforms)
    notes.push(...trialNotes(platform), ...scalingNotes(platform, at), ...driftNotes(platform));
  notes.push(...processNotes(platforms), ...secretNotes(platforms));
  notes.push(...coverageNotes(application));
  const times = platforms.flatMap(({ name, timeToCapacityMs: ms }) =>
    ms === undefined ? [] : [`${name} ${seconds(ms)}`],
  );
  if (times.length > 0) add('plain', `time to capacity, as last measured: ${times.join(', ')}`);
  return notes.sort((a, b) => RANK[a.tone] - RANK[b.tone]);
}

/** By route, where routes differ in priority: who is refused, the least important first. */
function shedText({ routes = [] }: ApplicationStatus): string {
  const hit = routes.filter(({ shed }) => shed > 0).sort((a, b) => a.priority - b.priority);
  const parts = hit.map(({ host, path, priority, shed }) => {
    const name = host === '*' ? path : `${host}${path}`;
    return `${percent(shed)} of ${name} (priority ${priority})`;
  });
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}

function writesNotes(writes: WritesStatus | undefined): readonly Note[] {
  if (writes === undefined) return [];
  if (writes.kind === 'none') return [{ tone: 'plain', text: 'writes are refused everywhere' }];
  const { writer, next, epoch, promotion } = writes;
  if (writer !== undefined) return [{ tone: 'plain', text: `${writer} takes the writes, epoch ${epoch}` }];
  if (next === undefined) return [{ tone: 'bad', text: 'nobody takes writes' }];
  const why = promotion?.why === undefined ? '' : `: ${promotion.why}`;
  const what = `nobody takes writes: the promotion of ${next} (epoch ${epoch})`;
  switch (promotion?.state) {
    case 'failed':
      return [{ tone: 'bad', text: `${what} failed${why}; ${promotion.remedy ?? ''}` }];
    case 'broken-off':
      return [{ tone: 'bad', text: `${what} broke off${why}; ${promotion.remedy ?? ''}` }];
    case 'waiting':
      return [{ tone: 'bad', text: `${what} waits${why}` }];
    default:
      return [{ tone: 'bad', text: `${what} is under way` }];
  }
}

/** Beside what serves: what is tried there, and what it met in the last ten seconds. */
function trialNotes({ name, trial }: PlatformStatus): readonly Note[] {
  if (trial === undefined) return [];
  const { release, share, waits, rps, errorRate, p95Ms, instances } = trial;
  const what = `${name} tries ${release.number === undefined ? release.id : `r${release.number}`}`;
  const running = `${instances.running} of ${instances.desired} instances`;
  if (waits !== undefined)
    return [{ tone: 'warn', text: `${what} (${running}), which gets nothing: ${waits}` }];
  if (share === 0) return [{ tone: 'plain', text: `${what} (${running}) without traffic` }];
  const met = `${rps.toFixed(0)} rps, ${(errorRate * 100).toFixed(1)} % errors, p95 ${p95Ms.toFixed(0)} ms`;
  const part = `${Math.round(share * 1000) / 10} %`;
  return [{ tone: 'plain', text: `${what} with ${part} of all requests (${running}): ${met}` }];
}

function scalingNotes({ name, scaling, instances }: PlatformStatus, at: number): readonly Note[] {
  if (scaling === undefined) return [];
  const { to, state, since, why = '' } = scaling;
  switch (state) {
    case 'growing': {
      const there = instances === undefined ? '' : `, ${instances.running} serve`;
      return [
        { tone: 'warn', text: `${name} goes to ${to} instances, ordered ${seconds(at - since)} ago${there}` },
      ];
    }
    case 'waiting':
      return [{ tone: 'warn', text: `${name} is to go to ${to} instances and waits: ${why}` }];
    case 'refused':
      return [{ tone: 'bad', text: `${name} cannot go to ${to} instances: ${why}` }];
  }
}

/** Where each process beside web is. */
function processNotes(platforms: readonly PlatformStatus[]): readonly Note[] {
  const names = new Set(platforms.flatMap(({ processes = {} }) => Object.keys(processes)));
  return [...names].flatMap((name): readonly Note[] => {
    const parts: string[] = [];
    let waiting: string | undefined;
    for (const { name: platform, processes = {} } of platforms) {
      const one = processes[name];
      if (one === undefined) continue;
      if (one.desired + one.running > 0) parts.push(`${platform} ${one.running}/${one.desired}`);
      if (one.waiting !== undefined) waiting = `${name} is to run on ${platform} and waits: ${one.waiting}`;
    }
    const where = parts.length === 0 ? 'nowhere' : parts.join(', ');
    return [
      { tone: 'plain', text: `${name}: ${where}` },
      ...(waiting === undefined ? [] : [{ tone: 'warn', text: waiting } as const]),
    ];
  });
}

function driftNotes({ name, drift }: PlatformStatus): readonly Note[] {
  if (drift === undefined) return [];
  const what = driftText(drift);
  const why = drift.why === undefined ? '' : `; not put back: ${drift.why}`;
  switch (drift.state) {
    case 'unhealed':
      return [{ tone: 'bad', text: `${name} is not as deployed: ${what}${why}` }];
    case 'healing':
      return [{ tone: 'warn', text: `${name} is being put back as deployed: ${what}` }];
    case 'found':
      return [{ tone: 'warn', text: `${name} is not as deployed: ${what}${why}` }];
    case 'outdated':
      return [
        { tone: 'plain', text: `${name} runs an earlier configuration: what changed since is not deployed` },
      ];
    case 'none':
      return [];
  }
}

/** A failover would meet it; nobody does now. */
function secretNotes(platforms: readonly PlatformStatus[]): readonly Note[] {
  return platforms.flatMap(({ name, readiness = [] }) =>
    readiness.flatMap(({ name: check, state, detail }): readonly Note[] =>
      check === 'secrets' && state === 'failed'
        ? [{ tone: 'warn', text: `services on ${name}: ${detail}` }]
        : [],
    ),
  );
}

/** N−1. Who has no share is missed by nobody. */
function coverageNotes({ coverage = {}, platforms, demandRps }: ApplicationStatus): readonly Note[] {
  if (demandRps <= 0) return [];
  return platforms.flatMap(({ name, share }): readonly Note[] => {
    const covered = coverage[name] ?? 1;
    if (share <= 0 || covered >= 0.995) return [];
    return [
      { tone: 'warn', text: `if ${name} dies now, the others carry ${percent(covered)} of the demand` },
    ];
  });
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function seconds(ms: number): string {
  const s = Math.max(0, ms) / 1_000;
  return `${s < 10 ? s.toFixed(1) : s.toFixed(0)} s`;
}
