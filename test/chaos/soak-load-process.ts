import { seededRandom } from '../../src/lib/random.ts';
import { SoakClient, type SoakOutcome } from './soak-exchange.ts';
import {
  NOTHING_YET,
  type SoakLoadSetting,
  type SoakOrder,
  type SoakWord,
  type Tally,
} from './soak-messages.ts';
import { nextAct } from './soak-users.ts';

/** The users of the soak: orders over the channel to its parent. */
const TALLY_EVERY_MS = 500;
const PAUSE_MS = 120;

let tally: Tally = NOTHING_YET;
let isLeaving = false;

function say(word: SoakWord): void {
  process.send?.(word);
}

async function user(port: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const client = new SoakClient(port);
  while (!isLeaving) {
    const act = nextAct(random);
    if (act.kind === 'upgrade') count(await client.upgrade(act.head, act.ms, act.politely), false);
    else {
      count(await client.exchange(act.request), act.isSafe);
      if (act.closes) client.close();
    }
    await new Promise((resume) => setTimeout(resume, random() * PAUSE_MS));
  }
  client.close();
}

function count(outcome: SoakOutcome, isSafe: boolean): void {
  const { reasons } = tally;
  switch (outcome.kind) {
    case 'done':
    case 'aborted':
    case 'cut':
      tally = { ...tally, [outcome.kind]: tally[outcome.kind] + 1 };
      return;
    case 'failed':
      tally = isSafe
        ? {
            ...tally,
            safeFailed: tally.safeFailed + 1,
            reasons: { ...reasons, [outcome.why]: (reasons[outcome.why] ?? 0) + 1 },
          }
        : { ...tally, otherFailed: tally.otherFailed + 1 };
  }
}

async function come({ port, users, seed }: SoakLoadSetting): Promise<void> {
  const timer = setInterval(() => say({ kind: 'tally', tally }), TALLY_EVERY_MS);
  await Promise.all(Array.from({ length: users }, (_, index) => user(port, seed * 1_000 + index)));
  clearInterval(timer);
  say({ kind: 'tally', tally });
  say({ kind: 'left' });
}

process.on('message', (order: SoakOrder) => {
  if (order.kind === 'leave') isLeaving = true;
  else {
    isLeaving = false;
    tally = NOTHING_YET;
    void come(order.setting);
  }
});
process.on('disconnect', () => process.exit());
