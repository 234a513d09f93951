import { z } from 'zod';
import type { PlatformInfo } from '../../../src/core/provider.ts';
import type { CleanUp } from './clean-up.ts';

/** What jest writes with --json, as far as we read it. */
const resultsSchema = z.object({
  testResults: z.array(
    z.object({
      message: z.string().default(''),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          duration: z.number().nullish(),
          failureMessages: z.array(z.string()).default([]),
        }),
      ),
    }),
  ),
});

export interface Case {
  readonly name: string;
  /** `left out`: the platform cannot be brought into the case's situation, at least not wholly. */
  readonly result: 'passed' | 'failed' | 'left out';
  readonly ms: number;
  readonly why?: string;
}

export interface EndpointReport {
  readonly kind: string;
  readonly address: string;
  /** A text: why it could not be described. */
  readonly platform: PlatformInfo | string;
  readonly cases: readonly Case[];
  readonly cleanUp: CleanUp;
}

export interface Report {
  readonly at: string;
  readonly sluice: string;
  readonly prefix: string;
  readonly ok: boolean;
  readonly endpoints: readonly EndpointReport[];
  /** The run as a whole broke off. */
  readonly trouble?: string;
}

/** Cases of one kind, out of what jest wrote; undefined where it wrote nothing that can be understood. */
export function casesOf(kind: string, written: unknown, leftOut: ReadonlySet<string>): readonly Case[] {
  const parsed = resultsSchema.safeParse(written);
  if (!parsed.success) return [];
  const head = `provider conformance: ${kind} `;
  return parsed.data.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName, status }) => fullName.startsWith(head) && status !== 'pending')
    .map(({ fullName, status, duration, failureMessages }) => ({
      name: fullName.slice(head.length),
      result: status !== 'passed' ? 'failed' : leftOut.has(fullName) ? 'left out' : 'passed',
      ms: duration ?? 0,
      ...(failureMessages.length === 0 ? {} : { why: failureMessages.join('\n') }),
    }));
}

/** Did everything that was asked for go well, and is nothing left behind? */
export function isGood(endpoints: readonly EndpointReport[]): boolean {
  return endpoints.every(
    ({ cases, cleanUp }) =>
      cases.some(({ result }) => result === 'passed') &&
      cases.every(({ result }) => result !== 'failed') &&
      cleanUp.left.length === 0,
  );
}

export function reportText(report: Report): string {
  const lines = [
    `conformance of Sluice ${report.sluice} against real endpoints, ${report.at}, prefix ${report.prefix}`,
  ];
  for (const { kind, address, platform, cases, cleanUp } of report.endpoints) {
    const count = (result: Case['result']): number => cases.filter((one) => one.result === result).length;
    const who =
      typeof platform === 'string' ? platform : `API ${platform.apiVersion}, as ${platform.identity}`;
    lines.push('', `${kind} at ${address}: ${who}`);
    for (const { name, result, ms, why } of cases) {
      lines.push(`  ${result.padEnd(8)} ${name} (${Math.round(ms)} ms)`);
      if (why !== undefined) lines.push(...why.split('\n').map((line) => `           ${line}`));
    }
    lines.push(`  ${count('passed')} passed, ${count('failed')} failed, ${count('left out')} left out`);
    lines.push(`  removed afterwards: ${cleanUp.removed.join(', ') || 'nothing was left'}`);
    for (const one of cleanUp.left) lines.push(`  LEFT BEHIND ${one}`);
  }
  if (report.trouble !== undefined) lines.push('', `trouble: ${report.trouble}`);
  lines.push('', report.ok ? 'verified' : 'NOT verified', '');
  return lines.join('\n');
}
