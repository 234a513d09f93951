import { LoadConnection, type Pending } from './load-connection.ts';
import type { LoadOrder, LoadSetting, LoadWord } from './load-messages.ts';
import { monotonicMs } from './monotonic.ts';
import { SampleLog, unsafeTarget } from './samples.ts';
import { Schedule } from './schedule.ts';

/** The open-loop load of the drill: orders over the channel to its parent. */
const TICK_MS = 1;
const SWEEP_MS = 20;
const PROGRESS_MS = 100;
/** Shorter than any proxy keeps an idle client, so that we never race its closing. */
const IDLE_MS = 3_000;

const log = new SampleLog();
const idle: LoadConnection[] = [];
const busy = new Set<LoadConnection>();
let lateMs = 0;
let answered = { primary: 0, secondary: 0, nobody: 0 };

function say(word: LoadWord): void {
  process.send?.(word);
}

function start(setting: LoadSetting): void {
  const schedule = new Schedule(monotonicMs(), setting.ratePerSecond);
  let stopping = false;
  let orders = 0;
  let sweptAt = 0;
  let toldAt = 0;
  let tickAt = monotonicMs();

  function done(connection: LoadConnection, pending: Pending): void {
    busy.delete(connection);
    const { outcome, side } = pending;
    log.add(pending.dueAt, monotonicMs(), outcome, side, pending.unsafe);
    answered[side] += 1;
    if (connection.isReusable) idle.push(connection);
  }

  function send(dueAt: number): void {
    const unsafe = schedule.count % setting.unsafeEvery === 0 ? orders++ : -1;
    let connection = idle.pop();
    while (connection !== undefined && !connection.isReusable) connection = idle.pop();
    connection ??= new LoadConnection(setting.port, setting.bodyBytes, done);
    busy.add(connection);
    connection.send(unsafe < 0 ? safeRequest(schedule.count) : unsafeRequest(unsafe), dueAt, unsafe);
  }

  function tick(): void {
    const now = monotonicMs();
    lateMs = Math.max(lateMs, now - tickAt - TICK_MS);
    tickAt = now;
    if (!stopping) {
      for (let due = schedule.next(now); due !== undefined; due = schedule.next(now)) send(due);
    }
    if (now - sweptAt >= SWEEP_MS) sweep(now);
    if (now - toldAt >= PROGRESS_MS) {
      toldAt = now;
      say({
        kind: 'progress',
        primary: answered.primary,
        secondary: answered.secondary,
        other: answered.nobody,
      });
      answered = { primary: 0, secondary: 0, nobody: 0 };
    }
    if (stopping && busy.size === 0) say({ kind: 'stopped' });
    else setTimeout(tick, TICK_MS);
  }

  function sweep(now: number): void {
    sweptAt = now;
    for (const connection of busy) {
      if (connection.dueAt < now - setting.timeoutMs) connection.giveUp();
    }
    // The one used longest ago stands first.
    while (idle.length > 0 && idle[0]!.since < now - IDLE_MS) idle.shift()!.close();
  }

  process.on('message', (order: LoadOrder) => {
    if (order.kind === 'collect') {
      say({ kind: 'collected', samples: log.take(), lateMs });
      lateMs = 0;
    } else if (order.kind === 'stop') stopping = true;
  });
  tick();
}

/** Every fourth answer is asked for in chunks. */
function safeRequest(count: number): string {
  return `GET ${count % 4 === 0 ? '/chunks' : '/'} HTTP/1.1\r\nhost: drill.example\r\naccept: */*\r\n\r\n`;
}

const ORDER_BODY = 'x'.repeat(64);

function unsafeRequest(number: number): string {
  return (
    `POST ${unsafeTarget(number)} HTTP/1.1\r\nhost: drill.example\r\ncontent-type: text/plain\r\n` +
    `content-length: ${ORDER_BODY.length}\r\n\r\n${ORDER_BODY}`
  );
}

process.once('message', (order: LoadOrder) => {
  if (order.kind === 'start') start(order.setting);
});
process.on('disconnect', () => process.exit());
