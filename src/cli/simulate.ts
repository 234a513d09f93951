import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { chart } from '../app/simulate/chart.ts';
import { verify } from '../app/simulate/expectations.ts';
import { replay } from '../app/simulate/replay.ts';
import { type Simulation, simulate } from '../app/simulate/run.ts';
import { readPolicy } from '../config/preset-policy.ts';
import { packagePresets } from '../config/presets.ts';
import { readScenario } from '../config/scenario.ts';
import { formatDiagnostic } from '../core/diagnostics.ts';
import { SluiceError } from '../core/errors.ts';
import type { LoggedEvent } from '../core/events.ts';
import type { SimulationScenario } from '../core/scenario.ts';
import type { PolicySettings } from '../core/settings.ts';
import { describeEvent, shares } from '../events/describe.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { CliIo } from './io.ts';

interface SimulateOptions {
  readonly scenario?: string;
  readonly from?: string;
  readonly json?: boolean;
}

/** Shown in the timeline; the rest is detail. */
const SHOWN = new Set([
  'verdict.changed',
  'decision.made',
  'fault.attributed',
  'intent.raised',
  'shedding.changed',
  'platform.api.down',
]);

/** `sluice simulate POLICY --scenario FILE`: what a policy would do, without any platform; exit 1 when it misses what the scenario expects. */
export function simulateCommand(program: Command, io: CliIo): void {
  program
    .command('simulate <policy>')
    .description('play a scenario against a policy: a preset, or a policy file')
    .option('--scenario <file>', 'what happens, as YAML')
    .option('--from <file>', 'an event log (events.ndjson): what the policy would have decided then')
    .option('--json', 'NDJSON: events, samples, and a summary')
    .action((policy: string, options: SimulateOptions) => {
      if (options.from !== undefined) return replayLog(policy, options.from, options, io);
      if (options.scenario === undefined) {
        throw new SluiceError('USAGE', 'nothing to simulate', {
          remedy: 'give --scenario FILE or --from EVENTLOG',
        });
      }
      const simulation = simulate(loadPolicy(policy, io), loadScenario(options.scenario, io));
      const print = options.json ? printJson : printText;
      if (!print(simulation, io)) io.exit(1);
    });
}

function replayLog(policy: string, file: string, options: SimulateOptions, io: CliIo): void {
  const replayed = replay(loadPolicy(policy, io), eventsIn(read(file, io)));
  const { differences, decisions, from, to } = replayed;
  if (decisions === 0) {
    throw new SluiceError('USAGE', `${file} holds no decision that says what it was made from`, {
      where: file,
      remedy: 'name events/events.ndjson in the state folder of a gateway',
    });
  }
  if (options.json) {
    for (const one of differences) io.stdout(`${JSON.stringify({ type: 'difference', ...one })}\n`);
    io.stdout(
      `${JSON.stringify({ type: 'summary', policy, decisions, differences: differences.length, from, to })}\n`,
    );
    return;
  }
  for (const { at, application, were, wouldBe, why } of differences) {
    io.stdout(`${isoTime(at)}  ${application}: ${shares(were)}, would be ${shares(wouldBe)}: ${why}\n`);
  }
  const found = differences.length === 0 ? 'none would differ' : `${differences.length} moments would differ`;
  io.stdout(`${decisions} decisions from ${isoTime(from ?? 0)} to ${isoTime(to ?? 0)}: ${found}\n`);
}

/** One event a line; what is no event is left out, as when the log is read back. */
function eventsIn(text: string): readonly LoggedEvent[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      const event: LoggedEvent = JSON.parse(line);
      return typeof event.at === 'number' && typeof event.type === 'string' ? [event] : [];
    } catch {
      return [];
    }
  });
}

function printText(simulation: Simulation, io: CliIo): boolean {
  const { scenario, policy, events } = simulation;
  io.stdout(`${scenario.name} with ${policy.name}\n\n`);
  for (const event of events) {
    if (!SHOWN.has(event.type)) continue;
    const at = ((event.at - scenario.startAt) / 1000).toFixed(1).padStart(8);
    io.stdout(`${at} s  ${describeEvent(event)}\n`);
  }
  io.stdout(`\n${chart(simulation, Math.max(20, Math.min(80, io.columns - 40))).join('\n')}\n`);
  const verified = verify(simulation);
  if (verified.length > 0) io.stdout('\n');
  for (const { ok, line } of verified) io.stdout(`${ok ? 'ok  ' : 'MISS'} ${line}\n`);
  return verified.every(({ ok }) => ok);
}

function printJson(simulation: Simulation, io: CliIo): boolean {
  const { scenario, policy, events, samples, unserved, shifts } = simulation;
  for (const event of events)
    io.stdout(`${JSON.stringify({ ...event, type: 'event', event: event.type })}\n`);
  for (const sample of samples) io.stdout(`${JSON.stringify({ type: 'sample', ...sample })}\n`);
  const expectations = verify(simulation);
  const summary = { scenario: scenario.name, policy: policy.name, unserved, shifts, expectations };
  io.stdout(`${JSON.stringify({ type: 'summary', ...summary })}\n`);
  return expectations.every(({ ok }) => ok);
}

function loadPolicy(given: string, io: CliIo): PolicySettings {
  const presets = packagePresets();
  const isFile = given.includes('/') || /\.(ya?ml|json)$/.test(given);
  const name = isFile ? basename(given).replace(/\.\w+$/, '') : given;
  const known = isFile ? { ...presets, [name]: { file: given, text: read(given, io) } } : presets;
  const { policy, diagnostics } = readPolicy(name, known);
  if (policy !== undefined && diagnostics.length === 0) return policy;
  throw new SluiceError('CONFIG_INVALID', `${given} is not a policy`, {
    where: given,
    why: diagnostics.map(formatDiagnostic).join('\n'),
    remedy: `name a file, or one of the presets: ${Object.keys(presets).join(', ')}`,
  });
}

function loadScenario(file: string, io: CliIo): SimulationScenario {
  const found = readScenario(file, read(file, io));
  if (found.ok) return found.scenario;
  throw new SluiceError('CONFIG_INVALID', `${file} is not a scenario`, {
    where: file,
    why: found.diagnostics.map(formatDiagnostic).join('\n'),
    remedy: 'config/scenarios holds some that are; docs/policies.md explains them',
  });
}

function read(file: string, io: CliIo): string {
  try {
    return readFileSync(resolve(io.cwd, file), 'utf8');
  } catch (caught) {
    const why = caught instanceof Error ? caught.message : String(caught);
    throw new SluiceError('USAGE', `cannot read ${file}`, { where: file, why, remedy: 'correct the path' });
  }
}
