import { describe, expect, it } from '@jest/globals';
import type { Operation, StagedArtifact, TargetSpec } from '../../../src/core/provider.ts';
import type { TaskSpec } from '../../../src/core/task-power.ts';
import { eventually, type Suite } from './suite.ts';

/** Commands that run once with the files and environment of a release; the cases build on each other. */
export function withTasks(suite: Suite): void {
  describe('an application with tasks', () => {
    const app = 'conf-tasks';
    const first = () => suite.wish(app, 1, { instances: 1, env: { WORD: 'one' } });
    const second = () => suite.wish(app, 2, { instances: 1, env: { WORD: 'two' } });
    const task = (run: string, command: string, timeoutMs = 60_000): TaskSpec => ({
      ...{ name: 'migrate', run, command, memoryBytes: 32 * 1024 * 1024, timeoutMs },
    });
    const power = () => suite.drive.fresh().tasks!;
    const start = (want: TargetSpec, artifact: StagedArtifact, spec: TaskSpec): Promise<Operation> =>
      power().start(suite.drive.context, want, artifact, spec);
    const printed = (): readonly string[] => suite.drive.lines.map(({ text }) => text);

    /** One that fails tells its output with the failure too, wherever it was read. */
    const SAYS = 'echo "$WORD of $SLUICE_RELEASE in $(cat lib/note.txt)"';

    it('runs one before anything of the release does', async () => {
      const artifact = await suite.drive.stage(first(), suite.ok);
      const operation = await start(first(), artifact, task('first-1', SAYS));
      expect(await suite.drive.follow(operation)).toMatchObject({ state: 'succeeded' });
      await eventually(async () => expect(printed()).toContain(`one of ${first().release.id} in variant ok`));
      expect((await suite.observe(app)).serving).toBeUndefined();
    });

    it('finds a run that was begun before, and does not begin it again', async () => {
      const artifact = await suite.drive.stage(first(), suite.ok);
      const spec = task('once-1', 'echo "this run began at $(date +%s%N)"; sleep 1');
      // The first answer was lost: nobody has its handle.
      await start(first(), artifact, spec);
      const again = await start(first(), artifact, spec);
      expect(await suite.drive.follow(again)).toMatchObject({ state: 'succeeded' });
      const ended = await start(first(), artifact, spec);
      expect(await suite.drive.follow(ended)).toMatchObject({ state: 'succeeded' });
      // Both followers read what was printed, and it was the same run's.
      const beginnings = printed().filter((text) => text.startsWith('this run began'));
      expect([beginnings.length, new Set(beginnings).size]).toEqual([2, 1]);
      await power().forget(suite.drive.context, ended.handle);
    });

    it('runs with the environment of a release that is staged while another serves', async () => {
      await suite.drive.deploy(first(), suite.ok);
      await suite.answeredBy(app, first().release.id);
      const artifact = await suite.drive.stage(second(), suite.ok);
      const operation = await start(second(), artifact, task('second-1', SAYS));
      expect(await suite.drive.follow(operation)).toMatchObject({ state: 'succeeded' });
      expect(printed()).toContain(`two of ${second().release.id} in variant ok`);
      await power().forget(suite.drive.context, operation.handle);
      const seen = await suite.observe(app);
      expect([seen.serving, seen.instances.length, seen.env['WORD']]).toEqual([first().release.id, 1, 'one']);
      await suite.answeredBy(app, first().release.id);
    });

    it('says how one failed, with its last words', async () => {
      const artifact = await suite.drive.stage(first(), suite.ok);
      const failing = task('fails-1', 'echo the table is locked; exit 3');
      const error = await suite.drive.fail(start(first(), artifact, failing));
      expect(error).toMatchObject({ code: 'TASK_FAILED', class: 'taskFailed' });
      expect(`${error.why}`).toContain('3');
      expect(error.logTail?.join('\n')).toContain('the table is locked');
      expect((await suite.observe(app)).serving).toBe(first().release.id);
    });

    it('ends one that takes longer than it may', async () => {
      const artifact = await suite.drive.stage(first(), suite.ok);
      const slow = task('slow-1', 'echo waiting; exec sleep 120', 1_500 * suite.slowness);
      const error = await suite.drive.fail(start(first(), artifact, slow));
      expect(error).toMatchObject({ class: 'taskFailed' });
    });

    it('lets one end before its release is retired', async () => {
      const artifact = await suite.drive.stage(second(), suite.ok);
      const operation = await start(second(), artifact, task('kept-1', 'exec sleep 120'));
      let handle = operation.handle;
      const poll = async () => {
        const status = await suite.drive.fresh().poll(suite.drive.context, handle);
        if (status.state === 'running' && status.handle) handle = status.handle;
        return status;
      };
      await eventually(
        async () => expect(await poll()).toMatchObject({ message: expect.stringMatching(/run/) }),
        30_000,
      );
      const retire = () => suite.drive.fresh().retire(suite.drive.context, app, second().release.id);
      expect(await suite.drive.refusal(retire())).toMatchObject({
        ...{ class: 'conflict', details: { why: 'run kept-1 has not ended' } },
      });
      expect((await poll()).state).toBe('running');
      await power().cancel(suite.drive.context, handle);
      await eventually(async () => {
        await poll();
        await suite.drive.succeed(retire());
      }, 30_000);
    });

    it('ends one that is cancelled', async () => {
      const artifact = await suite.drive.stage(first(), suite.ok);
      const operation = await start(first(), artifact, task('cancelled-1', 'exec sleep 120'));
      await eventually(async () => {
        const status = await suite.drive.fresh().poll(suite.drive.context, operation.handle);
        expect(status.state).toBe('running');
      });
      await power().cancel(suite.drive.context, operation.handle);
      await eventually(async () => {
        let status = await suite.drive.fresh().poll(suite.drive.context, operation.handle);
        if (status.state === 'running' && status.handle)
          status = await suite.drive.fresh().poll(suite.drive.context, status.handle);
        expect(['failed', 'lost']).toContain(status.state);
      }, 30_000);
    });

    it('leaves nothing of them when the application is destroyed', async () => {
      const artifact = await suite.drive.stage(second(), suite.ok);
      const operation = await start(second(), artifact, task('left-1', 'exec sleep 120'));
      await suite.destroy(app);
      expect(await suite.observe(app)).toMatchObject({ exists: false, foreign: [] });
      const status = await suite.drive.fresh().poll(suite.drive.context, operation.handle);
      expect(['lost', 'failed']).toContain(status.state);
    });
  });
}
