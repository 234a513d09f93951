import type { Command } from 'commander';
import type { ActKind } from '../core/acts.ts';
import { SluiceError } from '../core/errors.ts';
import { formatDuration, parseRatio } from '../core/units.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, durationOf, withConfiguration, withServer } from './options.ts';
import { openViewClient } from './view-client.ts';

interface ActOptions extends CommonOptions {
  readonly for?: string;
  readonly reason: string;
  readonly force?: boolean;
}

interface ActCommand {
  readonly name: string;
  readonly kind: ActKind;
  readonly lifts: boolean;
  readonly platform: 'required' | 'optional' | 'none';
  readonly says: string;
}

/** Each order and what takes it back. */
const COMMANDS: readonly ActCommand[] = [
  {
    name: 'drain',
    kind: 'drain',
    lifts: false,
    platform: 'required',
    says: 'send a platform’s traffic elsewhere, gracefully',
  },
  {
    name: 'undrain',
    kind: 'drain',
    lifts: true,
    platform: 'required',
    says: 'let a drained platform return',
  },
  {
    name: 'failover',
    kind: 'failover',
    lifts: false,
    platform: 'required',
    says: 'send everything to this platform',
  },
  {
    name: 'failback',
    kind: 'failback',
    lifts: false,
    platform: 'optional',
    says: 'let who waits return now, step by step',
  },
  {
    name: 'hold',
    kind: 'hold',
    lifts: false,
    platform: 'none',
    says: 'let nothing automatic move traffic, except off who is down',
  },
  {
    name: 'unhold',
    kind: 'hold',
    lifts: true,
    platform: 'none',
    says: 'lift a hold, and a freeze after too many failovers',
  },
  {
    name: 'fence',
    kind: 'fence',
    lifts: false,
    platform: 'required',
    says: 'send nothing there, whatever happens',
  },
  { name: 'unfence', kind: 'fence', lifts: true, platform: 'required', says: 'lift a fence' },
  {
    name: 'unweights',
    kind: 'weights',
    lifts: true,
    platform: 'none',
    says: 'back to the configured weights',
  },
];

/** An order to return that nobody takes back must not stand for ever. */
const FAILBACK_MS = 300_000;

/** What people order of judgement. Every order is an event with a name and a reason. */
export function actCommands(program: Command, io: CliIo): void {
  for (const one of COMMANDS) {
    const argument = { required: ' <platform>', optional: ' [platform]', none: '' }[one.platform];
    const command = program.command(`${one.name}${argument}`).description(one.says);
    withServer(withConfiguration(command)).option('--reason <text>', 'why, for the others', '');
    if (!one.lifts) command.option('--for <duration>', 'until then; left out: until it is lifted');
    if (one.kind === 'drain' || one.kind === 'fence')
      command.option('--force', 'also the last one that serves');
    command.action((...given: unknown[]) => {
      const platform = typeof given[0] === 'string' ? given[0] : undefined;
      const options = given.find(isOptions);
      return options === undefined ? undefined : act(one, platform, options, io);
    });
  }
  weightsCommand(program, io);
}

function isOptions(value: unknown): value is ActOptions {
  return typeof value === 'object' && value !== null && 'reason' in value && 'file' in value;
}

async function act(
  { kind, lifts, name }: ActCommand,
  platform: string | undefined,
  options: ActOptions,
  io: CliIo,
): Promise<void> {
  const client = await openViewClient(options, io);
  try {
    const subject = { kind, platform, application: options.app, reason: options.reason };
    if (lifts) {
      const { lifted, replicas } = await client.lift(subject);
      const said = lifted === 0 ? 'there was nothing to lift' : 'lifted';
      say(io, options, { act: name, platform, lifted, replicas }, `${said}; ${count(replicas)} obeys`);
      return;
    }
    const forMs = durationOf('--for', options.for) ?? (kind === 'failback' ? FAILBACK_MS : undefined);
    const ordered = await client.order({ ...subject, forMs, force: options.force === true });
    const until = forMs === undefined ? 'until it is lifted' : `for ${formatDuration(forMs)}`;
    say(
      io,
      options,
      ordered,
      `${name} ${platform ?? ''} ${until}; ${count(ordered.replicas)} obeys`.replace('  ', ' '),
    );
  } finally {
    await client.close();
  }
}

function weightsCommand(program: Command, io: CliIo): void {
  const command = program
    .command('weights <platform=share...>')
    .description('these weights instead of the configured ones: weights cf-eu=80% ocp-us=20%')
    .option('--for <duration>', 'until then; left out: until `sluice unweights`')
    .option('--reason <text>', 'why, for the others', '');
  withServer(withConfiguration(command)).action(async (given: readonly string[], options: ActOptions) => {
    const weights = Object.fromEntries(given.map(weightOf));
    const client = await openViewClient(options, io);
    try {
      const wish = {
        kind: 'weights',
        platform: undefined,
        application: options.app,
        reason: options.reason,
      } as const;
      const ordered = await client.order({
        ...wish,
        weights,
        forMs: durationOf('--for', options.for),
        force: false,
      });
      say(io, options, ordered, `weights ${given.join(' ')}; ${count(ordered.replicas)} obeys`);
    } finally {
      await client.close();
    }
  });
}

function weightOf(given: string): readonly [string, number] {
  const [platform = '', share = ''] = given.split('=');
  const parsed = parseRatio(share);
  const value = parsed.ok ? parsed.value : Number(share);
  if (platform !== '' && Number.isFinite(value) && value >= 0) return [platform, value];
  throw new SluiceError('USAGE', `"${given}" is no weight`, { remedy: 'write it like cf-eu=80%' });
}

function count(replicas: number): string {
  return replicas === 1 ? '1 replica' : `${replicas} replicas`;
}

function say(io: CliIo, options: CommonOptions, result: object, line: string): void {
  io.stdout(options.json ? `${JSON.stringify(result)}\n` : `${line}\n`);
}
