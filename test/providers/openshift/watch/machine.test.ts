import { describe, expect, it } from '@jest/globals';
import {
  BEGIN,
  type Next,
  nextStep,
  SILENT_MS,
  WATCH_SECONDS,
  type WatchInput,
} from '../../../../providers/openshift/watch/machine.ts';

/** Each input at its time; the steps that were asked for, `nothing` left out. */
function run(...inputs: readonly (readonly [at: number, input: WatchInput])[]): readonly string[] {
  let { state, step }: Next = BEGIN;
  const steps = [shown(step)];
  for (const [at, input] of inputs) {
    ({ state, step } = nextStep(state, input, at, 1));
    if (step.do !== 'nothing') steps.push(shown(step));
  }
  return steps;
}

function shown(step: Next['step']): string {
  if (step.do === 'watch') return `watch from ${step.version}`;
  return step.do === 'wait' ? `wait ${step.ms}` : step.do;
}

const listed = (version: string): WatchInput => ({ type: 'listed', version });
const heard = (version: string): WatchInput => ({ type: 'heard', version });

describe('the steps of a watch', () => {
  it('lists, then watches from the version of the list', () => {
    expect(run([0, listed('7')])).toEqual(['list', 'watch from 7']);
  });

  it('goes on from the newest version it heard of when the server ends it, without another list', () => {
    expect(run([0, listed('7')], [10, heard('9')], [50_000, { type: 'ended' }])).toEqual([
      'list',
      'watch from 7',
      'watch from 9',
    ]);
  });

  it('lists anew at once when its version is forgotten', () => {
    const steps = run([0, listed('7')], [5, { type: 'forgotten' }], [6, listed('20')]);
    expect(steps).toEqual(['list', 'watch from 7', 'list', 'watch from 20']);
  });

  it('takes its time when what was just listed is forgotten again', () => {
    const steps = run(
      [0, listed('7')],
      [5, { type: 'forgotten' }],
      [6, listed('7')],
      [7, { type: 'forgotten' }],
      [1_007, { type: 'tick' }],
    );
    expect(steps).toEqual(['list', 'watch from 7', 'list', 'watch from 7', 'wait 1000', 'list']);
  });

  it('begins a watch anew that says nothing for longer than a watch lasts', () => {
    expect(SILENT_MS).toBeGreaterThan(WATCH_SECONDS * 1_000);
    const quiet = run([0, listed('7')], [SILENT_MS - 1, { type: 'tick' }]);
    expect(quiet).toEqual(['list', 'watch from 7']);
    const silent = run([0, listed('7')], [10, heard('9')], [10 + SILENT_MS, { type: 'tick' }]);
    expect(silent).toEqual(['list', 'watch from 7', 'watch from 9']);
  });

  it('waits longer and longer while the API is away, and goes on where it was', () => {
    const steps = run(
      [0, listed('7')],
      [10, heard('8')],
      [20, { type: 'broke' }],
      [520, { type: 'tick' }],
      [530, { type: 'broke' }],
      [1_000, { type: 'tick' }],
      [1_530, { type: 'tick' }],
    );
    expect(steps).toEqual(['list', 'watch from 7', 'wait 500', 'watch from 8', 'wait 1000', 'watch from 8']);
  });

  it('begins no storm against a server that ends each watch at once', () => {
    expect(run([0, listed('7')], [3, { type: 'ended' }])).toEqual(['list', 'watch from 7', 'wait 500']);
  });

  it('asks again only after minutes where it may not', () => {
    expect(run([0, { type: 'refused' }])).toEqual(['list', 'wait 300000']);
  });

  it('lists anew when somebody found that it misses things', () => {
    expect(run([0, listed('7')], [10, { type: 'doubted' }])).toEqual(['list', 'watch from 7', 'list']);
  });
});
