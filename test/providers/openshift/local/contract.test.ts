import { describe, expect, it } from '@jest/globals';
import { exchangesOf, haveRecordings, missingRecordings } from './contract-exchanges.ts';
import { type Outcome, play } from './contract-session.ts';
import { SETTINGS } from './contract-settings.ts';
import { WAIVERS, type Waiver } from './contract-waivers.ts';

const required = process.env['SLUICE_REQUIRE_SERVERS'] === '1';
if (!haveRecordings && !required) console.log(`contract: skipped, ${missingRecordings}`);
const run = haveRecordings || required ? describe : describe.skip;

/** Of 175; the rest is waived as a whole, with reasons. */
const AT_LEAST = 120;

function isLeftOut(name: string): boolean {
  return WAIVERS.some((waiver) => waiver.difference === undefined && waiver.exchange.test(name));
}

/** The waivers a difference falls under. */
function applying({ exchange }: Outcome, difference: string): Waiver[] {
  return WAIVERS.filter(
    (waiver) => waiver.exchange.test(exchange.name) && waiver.difference?.test(difference),
  );
}

function unexplained(outcome: Outcome): string[] {
  return outcome.differences.filter((difference) => applying(outcome, difference).length === 0);
}

run('contract of the OpenShift API with its recordings', () => {
  const outcomes: Outcome[] = [];

  it.each(Object.entries(SETTINGS))(
    'contract: %s',
    async (_name, setting) => {
      if (!haveRecordings) throw new Error(`${missingRecordings}, and SLUICE_REQUIRE_SERVERS=1 wants them`);
      const played = await play(setting, isLeftOut, (outcome) => unexplained(outcome).length === 0);
      outcomes.push(...played);
      const left = Object.fromEntries(
        played
          .map((outcome) => [outcome.exchange.name, unexplained(outcome)] as const)
          .filter(([, differences]) => differences.length > 0),
      );
      expect(left).toEqual({});
    },
    120_000,
  );

  it('contract: the share covered, and no waiver that nothing needs', () => {
    const all = Object.values(SETTINGS).flatMap(({ folders }) => folders.flatMap(exchangesOf));
    console.log(
      `contract: ${outcomes.length} of ${all.length} recorded exchanges, ${WAIVERS.length} waivers`,
    );
    expect(outcomes.length).toBeGreaterThanOrEqual(AT_LEAST);
    const used = new Set(
      outcomes.flatMap((outcome) => outcome.differences.flatMap((found) => applying(outcome, found))),
    );
    const stale = WAIVERS.filter((waiver) =>
      waiver.difference === undefined
        ? !all.some(({ name }) => waiver.exchange.test(name))
        : !used.has(waiver) && !waiver.chance,
    );
    expect(stale.map(({ why }) => why)).toEqual([]);
  });
});
