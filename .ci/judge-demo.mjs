// Reads the demo's NDJSON and holds its summary against what the main job promises. Exits 1 with every breach.
import { createInterface } from 'node:readline';

let summary;
for await (const line of createInterface({ input: process.stdin })) {
  const event = JSON.parse(line);
  if (event.type === 'demo') console.log(event.line);
  if (event.type === 'summary') summary = event;
}
if (!summary) throw new Error('the demo printed no summary');
console.log(JSON.stringify(summary));

const breaches = [];
function hold(what, holds) {
  if (!holds) breaches.push(what);
}

const { deploy, outages, unsafe } = summary;
hold('no safe request failed', summary.failed === 0);
hold('nothing was executed twice', unsafe.twice === 0);
hold('at least one unsafe request in twelve', unsafe.sent * 12 >= summary.requests);
for (const fault of ['router-down', 'router-frozen', 'instances-killed']) {
  const outage = outages.find((one) => one.fault === fault);
  hold(`${fault} happened`, outage !== undefined);
  hold(`${fault} was detected in under 1 s`, outage?.detectedMs !== null && outage?.detectedMs < 1_000);
  hold(`${fault}: traffic returned`, outage?.returnedMs > 0);
}
for (const fault of ['api-down', 'controller-killed', 'rollout']) {
  const outage = outages.find((one) => one.fault === fault);
  hold(`${fault} happened`, outage !== undefined);
  hold(`${fault} failed no safe request`, outage?.failed === 0);
  if (fault !== 'rollout') hold(`${fault} moved nothing`, outage?.moved === 0);
}
for (const outage of outages) hold(`${outage.fault}: slowest under 1.5 s`, outage.slowestMs < 1_500);
const slowest = Math.max(...Object.entries(deploy).filter(([name]) => name !== 'wall').map(([, s]) => s));
hold(`deployment wall time ${deploy.wall} s is at most 1.25 × ${slowest} s`, deploy.wall <= 1.25 * slowest);

for (const breach of breaches) console.error(`NOT HELD: ${breach}`);
process.exit(breaches.length === 0 ? 0 : 1);
