import type { Command } from 'commander';
import { ERROR_CODES } from '../core/errors.ts';
import type {
  ApplicationStatus,
  PlatformStatus,
  RefusedConfiguration,
  StatusView,
  UsageStatus,
} from '../core/status.ts';
import { notesOf } from '../lib/application-notes.ts';
import { stateWord, stoppedText } from '../lib/stopped-status.ts';
import { formatStanding } from './drill-report.ts';
import type { CliIo } from './io.ts';
import { type CommonOptions, withConfiguration, withServer } from './options.ts';
import { formatTable } from './text-table.ts';
import { openViewSession } from './view-session.ts';

const NOT_HEALTHY = ERROR_CODES.NOT_HEALTHY.exit;

export function statusCommand(program: Command, io: CliIo): void {
  const command = program
    .command('status')
    .description('each platform: verdict, share, traffic, instances, release');
  withServer(withConfiguration(command)).action(async (options: CommonOptions) => {
    const session = await openViewSession(options, io);
    try {
      const view = await session.status();
      io.stdout(options.json ? `${JSON.stringify(view)}\n` : formatStatus(view));
      if (session.kind === 'alone') {
        io.stderr('no server runs: this is what the platforms say, and nobody probes them\n');
        io.exit(statusOfReads(view));
      } else if (!isServing(view)) io.exit(NOT_HEALTHY);
    } finally {
      await session.close();
    }
  });
}

/** Alone nothing is known of health: 0 when every platform could be read, 3 when some could, 1 when none. */
function statusOfReads(view: StatusView): number {
  const reads = view.applications.flatMap(({ platforms }) => platforms.map(({ api }) => api?.reachable));
  const unread = reads.filter((reachable) => !reachable).length;
  if (unread === 0) return 0;
  return unread === reads.length ? 1 : ERROR_CODES.PARTLY_DONE.exit;
}

/** Every application has a platform that can take its traffic. */
function isServing(view: StatusView): boolean {
  return view.applications.every((application) =>
    application.platforms.some(({ verdict }) => verdict.state === 'up' || verdict.state === 'degraded'),
  );
}

export function formatStatus(view: StatusView): string {
  const head = `table ${view.tableVersion}, workers ${view.workers.ready}/${view.workers.wanted}\n`;
  return (
    head +
    formatRefused(view.configuration?.refused) +
    view.applications.map((application) => formatApplication(application, view.at)).join('')
  );
}

function formatRefused(refused: RefusedConfiguration | undefined): string {
  if (refused === undefined) return '';
  const { message, why, remedy } = refused;
  const lines = [`✖ the changed configuration is not in force: ${message}`];
  for (const line of why?.split('\n') ?? []) lines.push(`  ${line}`);
  if (remedy !== undefined) lines.push(`  do ${remedy}`);
  return `\n${lines.join('\n')}\n`;
}

function formatApplication(application: ApplicationStatus, at: number): string {
  const { release } = application;
  const title = `\n${application.name}  ${release ? `r${release.number} (${release.id})` : 'not deployed'}  ${application.demandRps.toFixed(0)} rps\n`;
  const head = [
    'platform',
    'tier',
    'verdict',
    'share',
    'rps',
    'err',
    'p95',
    'inst',
    'cpu',
    'memory',
    'restarts',
    'release',
    'api',
    'why',
  ];
  const notes = notesOf(application, at).map(({ tone, text }) => `  ${tone === 'bad' ? '✖' : '·'} ${text}\n`);
  if (application.platforms.every(({ drill }) => drill === undefined)) {
    return title + formatTable(head, application.platforms.map(row)) + notes.join('');
  }
  // Before the last column, which is as long as it likes.
  const rows = application.platforms.map((one) => row(one).toSpliced(-1, 0, formatStanding(one.drill, at)));
  return title + formatTable(head.toSpliced(-1, 0, 'drill'), rows) + notes.join('');
}

/** CPU of one instance on average, memory of all together. */
function usageOf({ cpu, memoryBytes, restarts }: UsageStatus = {}): string[] {
  return [
    cpu === undefined ? '-' : `${Math.round(cpu * 100)} %`,
    memoryBytes === undefined ? '-' : `${Math.round(memoryBytes / 1024 ** 2)}Mi`,
    restarts === undefined ? '-' : String(restarts),
  ];
}

function row(platform: PlatformStatus): string[] {
  const { instances, api } = platform;
  return [
    platform.name,
    String(platform.tier),
    stateWord(platform),
    platform.state === 'active' ? `${Math.round(platform.share * 100)} %` : platform.state,
    platform.rps.toFixed(0),
    `${(platform.errorRate * 100).toFixed(1)} %`,
    platform.p95Ms === 0 ? '-' : `${platform.p95Ms.toFixed(0)} ms`,
    instances ? `${instances.running}/${instances.desired}` : '-',
    ...usageOf(platform.usage),
    platform.release ? (platform.release.number ? `r${platform.release.number}` : platform.release.id) : '-',
    api ? (api.reachable ? 'ok' : 'down') : '-',
    platform.stopped === undefined ? platform.verdict.cause : stoppedText(platform.stopped),
  ];
}
