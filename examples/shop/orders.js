// Where LEDGER_DIR is given, each instance writes down what it executed: so a test can find what ran twice.
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const dir = process.env.LEDGER_DIR;
if (dir) mkdirSync(dir, { recursive: true });

export function recordOrder(order) {
  // Before the answer, and at once on disk: an order that was executed but not answered must show.
  if (dir) appendFileSync(join(dir, `${process.pid}.ndjson`), `${JSON.stringify(order)}\n`);
}
