import { aboutRun, formatReport, formatWork, markdown, mid, times } from './format.ts';
import { highest, type IdleReport, type Report, type TrafficReport, type WorkReport } from './report.ts';

/** Documents whose numbers come from a report, and from nowhere else. */
export const SECTIONS: readonly { readonly file: string; readonly write: (report: Report) => string }[] = [
  { file: 'README.md', write: readmeSection },
  { file: 'docs/benchmarks.md', write: formatReport },
  { file: 'docs/adr/0009-own-http1-wire.md', write: adrSection },
];

const BEGIN = '<!-- bench: written by `npm run bench -- --readme FILE` -->';
const END = '<!-- /bench -->';

/** The text with what stands between the markers replaced; undefined: it has no markers. */
export function withSection(text: string, section: string): string | undefined {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin < 0 || end < 0) return undefined;
  return `${text.slice(0, begin + BEGIN.length)}\n\n${section.trim()}\n\n${text.slice(end)}`;
}

/** One line for each work, for people who look for one minute. */
export function readmeSection(report: Report): string {
  const closed = report.works.filter((work) => !isPaced(work));
  const paced = report.works.filter(isPaced);
  const lines = [
    ...aboutRun(report),
    '',
    ...markdown(
      ['work', 'CPU µs/request', '× nginx', '× http-proxy', 'requests/s', 'limit', ''],
      closed.map(summaryRow),
    ),
  ];
  if (paced.length > 0) {
    lines.push(
      '',
      ...markdown(
        ['by the clock, p50 / p99 µs', 'sluice', 'nginx', 'haproxy', 'http-proxy', 'no proxy'],
        paced.map((work) => [
          work.name,
          ...(['sluice', 'nginx', 'haproxy', 'http-proxy', 'direct'] as const).map((name) =>
            latencies(work, name),
          ),
        ]),
      ),
    );
  }
  return lines.join('\n');
}

/** The one work that all peers take part in. */
function adrSection(report: Report): string {
  const small = report.works.find(({ key }) => key === 'small');
  return [...aboutRun(report), '', ...(small === undefined ? [] : formatWork(small))].join('\n');
}

type Paced = TrafficReport & { readonly traffic: { readonly kind: 'paced' } };

function isPaced(work: WorkReport): work is Paced {
  return work.outcome === 'measured' && work.traffic.kind === 'paced';
}

function summaryRow(work: WorkReport): readonly string[] {
  if (work.outcome !== 'measured')
    return [work.name, '–', '–', '–', '–', '–', `${work.outcome}: ${work.why}`];
  if (!('load' in work)) return idleRow(work);
  const gateway = work.proxies.find(({ name }) => name === 'sluice');
  return [
    work.name,
    mid(gateway?.cpuMicros, 1),
    times(gateway?.times['nginx']),
    times(gateway?.times['http-proxy']),
    mid(gateway?.requestsPerSecond, 0),
    limits(work),
    gateway?.inconclusive == null ? '' : `inconclusive: ${gateway.inconclusive}`,
  ];
}

function idleRow(work: IdleReport): readonly string[] {
  const gateway = work.proxies.find(({ name }) => name === 'sluice');
  const memory = gateway === undefined ? '–' : `${(highest(gateway) / 1e6).toFixed(0)} MB RSS`;
  return [work.name, memory, '–', '–', '–', limits(work), ''];
}

function limits(work: TrafficReport | IdleReport): string {
  return work.limits
    .map(({ limit, verdict }) => {
      const unit = limit.measure === 'cpu' ? `× ${limit.over}` : 'MB';
      return `${limit.atMost} ${unit} ${verdict}`;
    })
    .join(', ');
}

function latencies(work: Paced, name: string): string {
  const proxy = work.proxies.find((one) => one.name === name);
  return proxy === undefined ? '–' : `${mid(proxy.p50Micros, 0)} / ${mid(proxy.p99Micros, 0)}`;
}
