import type { LoggedEvent } from '../../src/core/events.ts';
import { TELLING_EVENTS } from '../../src/core/events.ts';
import type { Explanation, StatusView } from '../../src/core/status.ts';
import { type Action, actionOf } from './keys.ts';
import { type Data, isSelected, type Model, type Page, rowsOf, type Selection } from './model.ts';
import { sampleRates } from './rates.ts';

export type Message =
  | { readonly type: 'tick'; readonly at: number }
  | { readonly type: 'status'; readonly at: number; readonly status: StatusView }
  | { readonly type: 'failed'; readonly at: number; readonly why: string }
  | { readonly type: 'event'; readonly event: LoggedEvent }
  | { readonly type: 'explained'; readonly explanation: Explanation }
  | { readonly type: 'unexplained'; readonly application: string; readonly why: string }
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'banner'; readonly text: string | undefined }
  | { readonly type: 'note'; readonly text: string };

/** What the shell is to do; its answer comes back as a message. */
export type Command = { readonly type: 'quit' } | { readonly type: 'explain'; readonly application: string };

export interface Step {
  readonly model: Model;
  readonly commands: readonly Command[];
}

const MAX_EVENTS = 200;
const MAX_NOTES = 50;
const PAGE_LINES = 10;

export function update(model: Model, message: Message): Step {
  switch (message.type) {
    case 'tick':
      return still({ ...model, now: message.at });
    case 'status':
      return onStatus(model, message.status, message.at);
    case 'failed': {
      const since = model.link.state === 'lost' ? model.link.since : message.at;
      return still({ ...model, now: message.at, link: { state: 'lost', since, why: message.why } });
    }
    case 'event':
      return still({ ...model, data: withEvent(model.data, message.event) });
    case 'explained':
      return still(
        answered(model, message.explanation.application, {
          state: 'there',
          explanation: message.explanation,
        }),
      );
    case 'unexplained':
      return still(answered(model, message.application, { state: 'failed', why: message.why }));
    case 'key': {
      const action = actionOf(message.key);
      return action === undefined ? still(model) : act(model, action);
    }
    case 'banner':
      return still({ ...model, banner: message.text });
    case 'note':
      return still({ ...model, notes: [...model.notes, message.text].slice(-MAX_NOTES) });
  }
}

function still(model: Model): Step {
  return { model, commands: [] };
}

function onStatus(model: Model, status: StatusView, at: number): Step {
  const { data, page } = model;
  const next: Model = {
    ...model,
    now: at,
    link: { state: 'up' },
    selected: keepSelection(status, model.selected),
    data: {
      ...data,
      status,
      receivedAt: at,
      // What is older than the status is in it; both times are the server's.
      since: data.since.filter((event) => event.at > status.at),
      rates: sampleRates(data.rates, status),
    },
  };
  // An open explanation stays true while things change.
  const commands: Command[] =
    page.kind === 'explain' && page.answer.state !== 'asked' && model.frozen === undefined
      ? [{ type: 'explain', application: page.application }]
      : [];
  return { model: next, commands };
}

function keepSelection(status: StatusView, selected: Selection | undefined): Selection | undefined {
  const rows = rowsOf(status);
  const kept = rows.find((row) => isSelected(row, selected)) ?? rows[0];
  return kept && { application: kept.application.name, platform: kept.platform.name };
}

function withEvent(data: Data, event: LoggedEvent): Data {
  return {
    ...data,
    since: TELLING_EVENTS.has(event.type) ? [...data.since, event].slice(-MAX_EVENTS) : data.since,
    deployment: deploymentAfter(data.deployment, event),
  };
}

function deploymentAfter(before: Data['deployment'], event: LoggedEvent): Data['deployment'] {
  switch (event.type) {
    case 'deployment.started':
      return {
        id: event.deployment,
        label: `${event.application} r${event.number}`,
        phases: Object.fromEntries(event.platforms.map((platform) => [platform, 'queued'])),
      };
    case 'deployment.progress': {
      // Also for one whose start was before our time.
      const known =
        before?.id === event.deployment
          ? before
          : { id: event.deployment, label: event.application, phases: {} };
      return { ...known, phases: { ...known.phases, [event.platform]: event.phase } };
    }
    case 'deployment.target':
      if (before?.id !== event.deployment) return before;
      return { ...before, phases: { ...before.phases, [event.platform]: event.outcome } };
    case 'deployment.finished':
      return before?.id === event.deployment ? undefined : before;
    default:
      return before;
  }
}

function answered(
  model: Model,
  application: string,
  answer: Extract<Page, { kind: 'explain' }>['answer'],
): Model {
  const { page } = model;
  if (page.kind !== 'explain' || page.application !== application) return model;
  return { ...model, page: { ...page, answer } };
}

function act(model: Model, action: Action): Step {
  switch (action) {
    case 'quit':
      return { model, commands: [{ type: 'quit' }] };
    case 'up':
      return still(move(model, -1));
    case 'down':
      return still(move(model, 1));
    case 'page-up':
      return still(move(model, -PAGE_LINES));
    case 'page-down':
      return still(move(model, PAGE_LINES));
    case 'explain':
      return toggleExplain(model);
    case 'help':
      return still({ ...model, page: { kind: model.page.kind === 'help' ? 'none' : 'help' } });
    case 'close':
      return still({ ...model, page: { kind: 'none' } });
    case 'pause':
      return still({
        ...model,
        frozen: model.frozen ? undefined : { data: model.data, since: model.now },
      });
  }
}

function toggleExplain(model: Model): Step {
  if (model.page.kind === 'explain') return still({ ...model, page: { kind: 'none' } });
  const application = model.selected?.application;
  if (application === undefined) return still(model);
  return {
    model: { ...model, page: { kind: 'explain', application, scroll: 0, answer: { state: 'asked' } } },
    commands: [{ type: 'explain', application }],
  };
}

function move(model: Model, by: number): Model {
  const { page } = model;
  if (page.kind === 'explain') {
    const lines =
      page.answer.state === 'there'
        ? page.answer.explanation.steps.reduce((sum, step) => sum + 1 + step.lines.length, 0)
        : 0;
    return { ...model, page: { ...page, scroll: Math.max(0, Math.min(page.scroll + by, lines)) } };
  }
  if (page.kind === 'help') return model;
  const rows = rowsOf((model.frozen?.data ?? model.data).status);
  const index = rows.findIndex((row) => isSelected(row, model.selected));
  const row = rows[Math.max(0, Math.min(index + by, rows.length - 1))];
  if (!row) return model;
  return { ...model, selected: { application: row.application.name, platform: row.platform.name } };
}
