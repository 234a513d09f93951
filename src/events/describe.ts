import { stripVTControlCharacters } from 'node:util';
import type { WireError } from '../core/errors.ts';
import type { LoggedEvent } from '../core/events.ts';
import type { Intent } from '../core/intent.ts';
import type { PowerAct } from '../core/operations.ts';
import type { TaskTrigger } from '../core/task-power.ts';
import { driftText } from '../lib/drift-text.ts';
import { isoTime } from '../lib/iso-time.ts';

const POWER: Readonly<Record<PowerAct, { readonly does: string; readonly did: string }>> = {
  stop: { does: 'stops', did: 'is stopped' },
  start: { does: 'starts', did: 'runs' },
  restart: { does: 'restarts', did: 'runs anew' },
};

/** One line for a person; no time, no colour, and nothing that a platform's text could do to a terminal. */
export function describeEvent(event: LoggedEvent): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass.
  return stripVTControlCharacters(sentenceOf(event)).replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

function sentenceOf(event: LoggedEvent): string {
  switch (event.type) {
    case 'verdict.changed':
      return `${event.platform} is ${event.to} (was ${event.from}): ${event.cause}`;
    case 'decision.made':
      return describeDecision(event);
    case 'table.published':
      return `table ${event.version} published`;
    case 'origin.ejected':
      return `worker ${event.worker} ejected ${event.origin}${addressOf(event)} for ${seconds(event.forMs)}: ${event.reason}`;
    case 'origin.readmitted':
      return `worker ${event.worker} sends to ${event.origin}${addressOf(event)} again`;
    case 'platform.api.down':
      return `${event.platform}: the API does not answer, traffic stays where it is: ${event.error}`;
    case 'platform.api.up':
      return `${event.platform}: the API answers again after ${seconds(event.afterMs)}`;
    case 'platform.event':
      return `${event.application}: ${event.platform} says ${event.kind}: ${event.text}${timesOf(event)} (${isoTime(event.platformAt).slice(11, 19)} by its clock)`;
    case 'deployment.started':
      return describeStart(event);
    case 'deployment.step':
      return `${event.application}: step ${event.step}/${event.of}: ${event.release} gets ${percent(event.part)} of the traffic on every platform`;
    case 'deployment.waiting':
      return `${event.application}: ${event.message}`;
    case 'deployment.gate':
      return `${event.application}: gate of step ${event.step}/${event.of} ${event.state}: ${event.message}`;
    case 'deployment.takingBack':
      return `${event.application}: ${event.release} is taken back everywhere: ${errorText(event.error)}`;
    case 'deployment.progress':
      return `${event.platform} ${event.phase}: ${event.message} (${seconds(event.elapsedMs)})`;
    case 'deployment.log':
      return `${event.platform} ${event.source} | ${event.text}`;
    case 'deployment.target':
      return describeTarget(event);
    case 'deployment.finished':
      return `${event.deployment}: ${event.application} ${event.release} ${event.outcome} after ${seconds(event.elapsedMs)}`;
    case 'task.started':
      return `${event.application}: task ${event.task} ${event.again ? 'goes on' : 'begins'} on ${event.platform} with ${event.release} (${TRIGGERS[event.trigger]}; run ${event.run})`;
    case 'task.missed':
      return `${event.application}: ${event.task} did not run at ${isoTime(event.dueAt)}: ${event.why}`;
    case 'task.log':
      return `${event.platform} ${event.run} | ${event.text}`;
    case 'task.finished':
      return describeTask(event);
    case 'fault.attributed':
      return `${event.application}: ${event.summary} (${event.culprit}; ${event.remedy})`;
    case 'fault.over':
      return `${event.application}: ${event.culprit} of ${event.platforms.join(', ')} is seen no more`;
    case 'traffic.split':
      return event.part === 0
        ? `${event.application}: nothing goes to a trial of ${event.release} any more`
        : `${event.application}: ${percent(event.part)} of every platform’s share goes to its trial of ${event.release}`;
    case 'failover.unready':
      return `${event.application}: would not survive failover because ${event.reasons.join('; ')}`;
    case 'failover.ready':
      return `${event.application}: would survive failover again`;
    case 'shedding.changed':
      return describeShedding(event);
    case 'intent.raised':
      return `${event.application}: ${describeIntent(event.intent)}`;
    case 'scale.ordered':
      return `${event.application}: ${event.platform} goes from ${event.from} to ${event.to} instances: ${event.reason}`;
    case 'scale.finished':
      return `${event.application}: ${event.platform} serves with ${event.to} instances after ${seconds(event.tookMs)}`;
    case 'scale.waiting':
      return `${event.application}: ${event.platform} is not at ${event.to} instances yet: ${errorText(event.error)}`;
    case 'scale.refused':
      return `${event.application}: ${event.platform} cannot go to ${event.to} instances: ${errorText(event.error)}`;
    case 'power.ordered':
      return `${event.application}: ${event.platform} ${POWER[event.act].does}${processOf(event)}: ${event.reason}`;
    case 'power.finished':
      return `${event.application}: ${event.platform} ${POWER[event.act].did}${processOf(event)} after ${seconds(event.tookMs)}`;
    case 'power.failed':
      return `${event.application}: ${event.platform} could not ${event.act}${processOf(event)}: ${errorText(event.error)}`;
    case 'writer.promoted':
      return `${event.application}: ${event.platform} takes the writes (epoch ${event.epoch}, promoted in ${seconds(event.tookMs)})`;
    case 'writer.failed':
      return `${event.application}: nobody takes writes, ${event.platform} was not promoted (epoch ${event.epoch}): ${errorText(event.error)}`;
    case 'placement.ordered':
      return `${event.application}: ${event.process} on ${event.platform} goes from ${event.from} to ${event.to} instances: ${event.reason}`;
    case 'placement.waiting':
      return `${event.application}: ${event.process} is not placed on ${event.platform} yet: ${errorText(event.error)}`;
    case 'drift.found':
      return `${event.application}: ${event.platform} is not as deployed: ${driftText(event)}`;
    case 'drift.healed':
      return `${event.application}: ${event.platform} is put back as deployed after ${seconds(event.tookMs)}; found: ${driftText(event)}`;
    case 'drift.gone':
      return `${event.application}: ${event.platform} is as deployed again, and not by us`;
    case 'drift.unhealed':
      return `${event.application}: ${event.platform} is not put back: ${errorText(event.error)}`;
    case 'drill.started':
      return `${event.application}: drill ${event.name} takes ${event.platform} out of service for ${seconds(event.forMs)} (${event.who})`;
    case 'drill.aborted':
      return `${event.application}: drill ${event.name} is aborted, ${event.platform} gets its traffic back: ${event.why.join('; ')}`;
    case 'drill.blocked':
      return `${event.application}: drill ${event.name} of ${event.platform} did not begin: ${event.why.join('; ')}`;
    case 'drill.finished':
      return describeDrill(event);
    case 'process.started':
      return `${named(event)} started (pid ${event.pid})`;
    case 'process.exited':
      return `${named(event)} ended (pid ${event.pid}): ${event.why}`;
    case 'configuration.reloaded':
      return `the configuration was read again: ${event.changed.join(', ')}`;
    case 'configuration.refused':
      return `the configuration was not taken: ${event.message}${event.why === undefined ? '' : `: ${event.why}`}`;
    case 'operator.act':
      return `${event.who}: ${event.act} ${event.subject}${event.reason === '' ? '' : ` — ${event.reason}`}`;
  }
}

function describeStart(event: Extract<LoggedEvent, { type: 'deployment.started' }>): string {
  const { strategy = 'rolling', kind } = event;
  const verb = kind === 'rollback' ? 'bringing back' : 'deploying';
  const how = strategy === 'rolling' ? '' : `, ${strategy}`;
  return `${event.deployment}: ${verb} ${event.application} r${event.number} (${event.release}) to ${event.platforms.join(', ')}${how}`;
}

function describeDecision(event: Extract<LoggedEvent, { type: 'decision.made' }>): string {
  const move = `${event.application}: ${shares(event.before)} → ${shares(event.shares)}`;
  return event.reasons.length === 0 ? move : `${move}: ${event.reasons.join('; ')}`;
}

function describeShedding({
  application,
  part,
  by,
}: Extract<LoggedEvent, { type: 'shedding.changed' }>): string {
  if (part === 0) return `${application}: nothing is shed any more`;
  const all = `${application}: ${percent(part)} of the requests are answered 503 for want of capacity`;
  const hit = by
    .filter((one) => one.part > 0)
    .map((one) => `${percent(one.part)} of priority ${one.priority}`);
  return hit.length === 0 ? all : `${all}: ${hit.join(', ')}`;
}

const TRIGGERS: Readonly<Record<TaskTrigger, string>> = {
  release: 'before it is promoted',
  hand: 'by hand',
  schedule: 'by the clock',
};

function describeTask(event: Extract<LoggedEvent, { type: 'task.finished' }>): string {
  const { application, task, platform, outcome, tookMs, run, error } = event;
  const what = `${application}: task ${task} on ${platform}`;
  if (outcome === 'succeeded') return `${what} ended well after ${seconds(tookMs)} (run ${run})`;
  const why = error === undefined ? '' : `: ${errorText(error)}`;
  return outcome === 'failed'
    ? `${what} failed after ${seconds(tookMs)} (run ${run})${why}`
    : `${what}: nobody can say how it ended (run ${run})${why}`;
}

function describeIntent(intent: Intent): string {
  switch (intent.kind) {
    case 'scale':
      return `scale ${intent.platform} to ${intent.instances} instances: ${intent.reason}`;
    case 'freeze-deployments':
      return `no deployment to ${intent.platform}: ${intent.reason}`;
    case 'promote-writer':
      return `promote ${intent.platform} to writer (epoch ${intent.epoch}): ${intent.reason}`;
    case 'propose':
      return `please confirm: ${intent.what}${intent.platform === undefined ? '' : ` ${intent.platform}`}: ${intent.reason}`;
    case 'notify':
      return intent.text;
    case 'call':
      return `a person is needed: ${intent.reason}`;
  }
}

function describeTarget(event: Extract<LoggedEvent, { type: 'deployment.target' }>): string {
  if (event.error) {
    const why = event.error.why === undefined ? '' : `: ${event.error.why}`;
    return `${event.platform} ${event.outcome}: ${event.error.message}${why}`;
  }
  if (event.outcome === 'rolledBack')
    return event.back === undefined
      ? `${event.platform}: taken back; nothing was replaced there`
      : `${event.platform}: taken back; ${event.back} serves again`;
  const times = [
    event.firstInstanceMs === undefined ? '' : `first instance ${seconds(event.firstInstanceMs)}`,
    event.allInstancesMs === undefined ? '' : `all ${seconds(event.allInstancesMs)}`,
    event.unproven ? 'unproven: the application does not name its release' : '',
  ].filter(Boolean);
  return `${event.platform} ${event.outcome}${times.length === 0 ? '' : ` (${times.join(', ')})`}`;
}

function errorText({ message, why, remedy }: WireError): string {
  return `${message}${why === undefined ? '' : `: ${why}`}${remedy === undefined ? '' : ` — ${remedy}`}`;
}

function describeDrill(event: Extract<LoggedEvent, { type: 'drill.finished' }>): string {
  const { shiftMs, requests, failed } = event.evidence;
  const shift = shiftMs === undefined ? '' : `, traffic left in ${seconds(shiftMs)}`;
  const why = event.why.length === 0 ? '' : `: ${event.why.join('; ')}`;
  return `${event.application}: drill ${event.name} of ${event.platform} ${event.outcome}${shift}, ${failed} of ${requests} requests failed${why}`;
}

function named(event: { process: string; index?: number }): string {
  return event.index === undefined ? event.process : `${event.process} ${event.index}`;
}

export function shares(of: Readonly<Record<string, number>>): string {
  const parts = Object.entries(of).map(([name, share]) => `${name} ${Math.round(share * 100)} %`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

export function percent(part: number): string {
  return `${Math.round(part * 1000) / 10} %`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function timesOf({ count = 1 }: { readonly count?: number }): string {
  return count > 1 ? `, ${count} times` : '';
}

function processOf({ process }: { readonly process?: string }): string {
  return process === undefined ? '' : ` (process ${process})`;
}

/** Which of the addresses that the name in the origin stands for. */
function addressOf({ address }: { readonly address?: string }): string {
  return address === undefined ? '' : ` (${address})`;
}
