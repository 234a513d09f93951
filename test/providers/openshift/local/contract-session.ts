import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mode } from '../../../../providers/openshift/local/resources.ts';
import { createLocalOpenShift, type LocalOpenShift } from '../../../../providers/openshift/local/server.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { seededRandom } from '../../../../src/lib/random.ts';
import { createRunner } from '../../../../src/runner/runner.ts';
import { appBundle, SERVER } from './cluster.ts';
import { differences, normalised } from './contract-compare.ts';
import { type Exchange, exchangesOf } from './contract-exchanges.ts';

/** How a recorded session was set up: which control plane, what it lacked, who spoke. */
export interface Setting {
  readonly folders: readonly string[];
  readonly mode: Mode;
  /** Controllers the recorded control plane did not run. */
  readonly without?: readonly string[];
  /** Exchanges the unprivileged user `developer` made; the others are the administrator's. */
  readonly developer?: RegExp;
  /** Requests under way while others were made: each begins before the one named. */
  readonly begins?: Readonly<Record<string, string>>;
  /** Refusals that stand only once controllers have caught up; asked again until then. */
  readonly settles?: readonly string[];
  /** When the recorded server forgot its history. */
  readonly compactsBefore?: string;
  readonly prepare?: (ask: Ask, openshift: LocalOpenShift) => Promise<void>;
}

export interface Outcome {
  readonly exchange: Exchange;
  readonly differences: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

type Ask = (method: string, path: string, body?: object) => Promise<Answer>;

/** Answers of an asynchronous platform come true in time; what has not by then is a difference. */
const PATIENCE_MS = 8_000;
const WATCH_MS = 1_500;
/** Header fields clients read. */
const HEADERS = ['content-type', 'cache-control', 'warning'];
const SIMULATED = SERVER.replace(
  'const server',
  "if (process.env.SIM === 'crash') process.exit(1);\nconst server",
).replace(
  'server.listen',
  "if (process.env.SIM === 'nolisten') setInterval(() => {}, 60000);\nelse server.listen",
);

/** Plays a recorded session against a local platform of its own and compares answer by answer. */
export async function play(
  setting: Setting,
  isLeftOut: (name: string) => boolean,
  isExplained: (outcome: Outcome) => boolean,
): Promise<Outcome[]> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-contract-'));
  const random = seededRandom(11);
  const runner = createRunner({ clock: systemClock, random });
  const image = join(dir, 'image');
  await mkdir(image);
  await writeFile(join(image, 'server.js'), SIMULATED);
  const openshift = createLocalOpenShift({
    dir: join(dir, 'ocp'),
    runner,
    clock: systemClock,
    random,
    speed: 0.1,
    mode: setting.mode,
    without: setting.without ?? [],
    appsDomain: 'apps.example.test',
    foreignImages: { x: image, 'nginx:1': image, 'nginx:2': image, 'nginx:3': image },
  });
  try {
    await openshift.start();
    return await walk(setting, openshift, isLeftOut, isExplained);
  } finally {
    await openshift.close();
    await runner.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function walk(
  setting: Setting,
  openshift: LocalOpenShift,
  isLeftOut: (name: string) => boolean,
  isExplained: (outcome: Outcome) => boolean,
): Promise<Outcome[]> {
  const tokens: Readonly<Record<string, string | undefined>> = {
    admin: openshift.tokenFor('admin', ['system:masters', 'system:authenticated']),
    developer: openshift.tokenFor('developer', ['system:authenticated']),
    nobody: 'not-a-token',
  };
  const names = new Names();
  const upload = await appBundle();
  const ask: Ask = (method, path, body) =>
    send(openshift.apiUrl, { method, path, token: tokens['admin'], headers: {}, body });
  await setting.prepare?.(ask, openshift);

  async function exchangeOnce(exchange: Exchange): Promise<Outcome> {
    const { request, response } = exchange;
    const who = setting.developer?.test(exchange.name)
      ? 'developer'
      : exchange.name.endsWith('bad-token')
        ? 'nobody'
        : 'admin';
    const answer = await send(openshift.apiUrl, {
      method: request.method,
      path: names.toOurs(request.path),
      token: exchange.name.endsWith('no-token') ? undefined : tokens[who],
      headers: request.headers,
      body: request.body === '<tar.gz bytes>' ? upload : names.toOurs(request.body),
      events: Array.isArray(response.body) ? response.body.length : undefined,
    });
    names.learn(response.body, answer.body);
    names.learnDigest(answer.body);
    return { exchange, differences: compare(exchange, answer) };
  }

  async function exchangeUntil(exchange: Exchange): Promise<Outcome> {
    const isAsked = exchange.request.method === 'GET' && !exchange.request.path.includes('watch=');
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const outcome = await exchangeOnce(exchange);
      if (isExplained(outcome) || performance.now() > end) return outcome;
      if (!isAsked && !setting.settles?.includes(exchange.name)) return outcome;
      await systemClock.sleep(40);
    }
  }

  const exchanges = setting.folders.flatMap(exchangesOf).filter(({ name }) => !isLeftOut(name));
  const begun = new Map<string, Promise<Outcome>>();
  const outcomes: Outcome[] = [];
  for (const exchange of exchanges) {
    for (const early of exchanges) {
      if (setting.begins?.[early.name] !== exchange.name) continue;
      begun.set(early.name, exchangeOnce(early));
      await systemClock.sleep(60);
    }
    if (setting.compactsBefore === exchange.name) openshift.compact();
    outcomes.push(await (begun.get(exchange.name) ?? exchangeUntil(exchange)));
  }
  return outcomes;
}

function compare(exchange: Exchange, answer: Answer): string[] {
  const { response } = exchange;
  const found: string[] = [];
  if (response.status !== answer.status) found.push(`~ status ${response.status} is ${answer.status}`);
  for (const name of HEADERS) {
    const theirs = response.headers[name];
    const mine = answer.headers[name];
    if (theirs !== mine) found.push(`~ header ${name} ${theirs} is ${mine}`);
  }
  const recorded: unknown = JSON.parse(sooner(JSON.stringify(response.body)));
  const theirs = Array.isArray(recorded) ? kindsOfEvents(recorded) : recorded;
  const mine = Array.isArray(answer.body) ? kindsOfEvents(answer.body) : answer.body;
  if (exchange.request.method !== 'GET') for (const body of [theirs, mine]) forgetProgress(body);
  found.push(...differences(normalised(theirs), normalised(mine)));
  return found;
}

/** How far the controllers had come when a deployment was written is chance; reads are asked until it is the same. */
function forgetProgress(body: unknown): void {
  if (!isRecord(body) || body['kind'] !== 'Deployment') return;
  delete body['status'];
  const { metadata } = body;
  if (!isRecord(metadata) || !isRecord(metadata['annotations'])) return;
  delete metadata['annotations']['deployment.kubernetes.io/revision'];
  if (Object.keys(metadata['annotations']).length === 0) delete metadata['annotations'];
}

/** How many events a watch sees is chance; which kinds, and what the first of each kind looks like, is not. */
function kindsOfEvents(events: readonly { type: string; object: object }[]): Record<string, object> {
  const kinds: Record<string, object> = {};
  for (const { type, object } of events) kinds[type] ??= object;
  return kinds;
}

/** Random names, uids and versions of the recording and what stands for them here. */
class Names {
  readonly #ours = new Map<string, string>();

  learn(recorded: unknown, ours: unknown): void {
    if (Array.isArray(recorded) && Array.isArray(ours)) {
      for (const [index, item] of recorded.entries()) this.learn(item, ours[index]);
    }
    if (!isRecord(recorded) || !isRecord(ours)) return;
    const { metadata } = recorded;
    if (isRecord(metadata) && isRecord(ours['metadata'])) {
      for (const key of ['uid', 'resourceVersion', 'name', 'continue']) {
        const theirs = metadata[key];
        const mine = ours['metadata'][key];
        if (typeof theirs === 'string' && typeof mine === 'string') this.#ours.set(theirs, mine);
      }
    }
    for (const [key, inner] of Object.entries(recorded)) this.learn(inner, ours[key]);
  }

  /** The recorded builder pushed nothing, so a push was made up; here it is the build's own, once more. */
  learnDigest(ours: unknown): void {
    const digest = /"imageDigest":"(sha256:[0-9a-f]{64})"/.exec(JSON.stringify(ours) ?? '')?.[1];
    if (digest !== undefined) this.#ours.set(`sha256:${'a'.repeat(64)}`, digest);
  }

  toOurs<T>(value: T): T {
    let text = JSON.stringify(value);
    if (text === undefined) return value;
    // Versions are small numbers: only where one must stand. The rest long ones first, as names begin alike.
    const version = (whole: string, before: string, theirs: string): string =>
      this.#ours.has(theirs) ? `${before}${this.#ours.get(theirs)}` : whole;
    text = text.replaceAll(/(resourceVersion=|"resourceVersion":")(\d+)/g, version);
    const names = [...this.#ours].filter(([theirs]) => theirs.length > 6);
    for (const [theirs, mine] of names.sort(([a], [b]) => b.length - a.length)) {
      text = text.replaceAll(theirs, mine);
    }
    return JSON.parse(sooner(text));
  }
}

/** The recorded client waited 20 s for a failure; a test should not. */
function sooner(text: string): string {
  return text.replaceAll('"progressDeadlineSeconds":20', '"progressDeadlineSeconds":4');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly token: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** A watch: how many events were recorded. */
  readonly events?: number | undefined;
}

function send(base: string, sent: Sent): Promise<Answer> {
  const body =
    sent.body === undefined || Buffer.isBuffer(sent.body)
      ? sent.body
      : Buffer.from(typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body));
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${base}${sent.path}`,
      {
        method: sent.method,
        agent: false,
        headers: {
          'user-agent': 'node',
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': body.length }),
          ...sent.headers,
          ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
        },
      },
      (response) => {
        let text = '';
        let done = false;
        const finish = (): void => {
          if (done) return;
          done = true;
          stopWaiting();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(text, sent) });
          response.destroy();
        };
        // A watch without an end of its own is listened to for as long as the recording was.
        const stopWaiting =
          sent.events === undefined
            ? () => undefined
            : systemClock.after(sent.path.includes('timeoutSeconds') ? 10_000 : WATCH_MS, finish);
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', finish);
        response.on('error', (error) => (done ? undefined : reject(error)));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function parsed(text: string, sent: Sent): unknown {
  if (sent.path.includes('watch=')) {
    const events = text.split('\n').filter(Boolean);
    return events.length === 0 ? '' : events.map((line) => JSON.parse(line));
  }
  return text.startsWith('{') ? JSON.parse(text) : text;
}
