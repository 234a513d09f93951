import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Foundation, type Json, shop, startFoundation } from './foundation.ts';

describe('tasks', () => {
  let foundation: Foundation;
  let call: Foundation['call'];
  let app: Json;
  beforeAll(async () => {
    foundation = await startFoundation();
    call = foundation.call;
    app = await foundation.createApp('shop');
    const early = await call('POST', `/v3/apps/${app.guid}/tasks`, { command: 'true' });
    expect(early.body.errors[0].detail).toBe('Task must have a droplet. Assign current droplet to app.');
    const droplet = await foundation.stage(app.guid, { ...shop('v1'), 'data.txt': 'from the droplet' });
    await call('PATCH', `/v3/apps/${app.guid}/relationships/current_droplet`, { data: { guid: droplet } });
  });
  afterAll(() => foundation.close());

  async function run(command: string, extra: object = {}): Promise<Json> {
    const answer = await call('POST', `/v3/apps/${app.guid}/tasks`, { command, ...extra });
    expect([answer.status, answer.body.state]).toEqual([202, 'RUNNING']);
    return answer.body;
  }

  function ended(guid: string): Promise<Json> {
    return foundation.until('the task', async () => {
      const { body } = await call('GET', `/v3/tasks/${guid}`);
      return ['SUCCEEDED', 'FAILED'].includes(body.state) && body;
    });
  }

  it('run a command beside the droplet, with the environment, and leave their output in the log', async () => {
    await call('PATCH', `/v3/apps/${app.guid}/environment_variables`, { var: { GREETING: 'hello' } });
    const task = await run('cat data.txt; echo; echo $GREETING', { name: 'migrate' });
    expect(await ended(task.guid)).toMatchObject({ state: 'SUCCEEDED', result: { failure_reason: null } });
    const { body } = await call('GET', '/');
    const lines = await foundation.until('the output', async () => {
      const read = await call('GET', `${body.links.log_cache.href}/api/v1/read/${app.guid}`);
      const batch = read.body.envelopes.batch.filter(
        (one: Json) => one.tags.source_type === 'APP/TASK/migrate',
      );
      return batch.length >= 2 && batch;
    });
    const texts = lines.map((one: Json) => Buffer.from(one.log.payload, 'base64').toString());
    expect(texts).toEqual(expect.arrayContaining(['from the droplet', 'hello']));
  });

  it('fail with the status they ended with', async () => {
    const task = await run('exit 3', { name: 'broken' });
    expect(await ended(task.guid)).toMatchObject({
      state: 'FAILED',
      result: { failure_reason: expect.stringContaining('Exited with status 3') },
    });
  });

  it('are cancelled, and only while they run', async () => {
    const task = await run('sleep 60', { name: 'long' });
    const cancelled = await call('POST', `/v3/tasks/${task.guid}/actions/cancel`);
    expect([cancelled.status, cancelled.body.state]).toEqual([202, 'CANCELING']);
    expect(await ended(task.guid)).toMatchObject({
      state: 'FAILED',
      result: { failure_reason: 'task was cancelled' },
    });
    const late = await call('POST', `/v3/tasks/${task.guid}/actions/cancel`);
    expect(late.body.errors[0].detail).toBe('Task state is FAILED and therefore cannot be canceled');
  });

  it('are counted, listed without their commands, and found in the audit events', async () => {
    const { body } = await call('GET', `/v3/apps/${app.guid}/tasks?order_by=created_at`);
    expect(body.resources.map((one: Json) => one.sequence_id)).toEqual([1, 2, 3]);
    expect(body.resources[0]).not.toHaveProperty('command');
    const failed = await call('GET', '/v3/tasks?states=FAILED&names=broken');
    expect(failed.body.pagination.total_results).toBe(1);
    const events = await call('GET', `/v3/audit_events?types=audit.app.task.create&target_guids=${app.guid}`);
    expect(events.body.resources).toHaveLength(3);
  });

  it('take their command from a process, and end with their application', async () => {
    const template = { process: { guid: app.guid } };
    const answer = await call('POST', `/v3/apps/${app.guid}/tasks`, { template });
    expect(answer.body.command).toBe('node server.js');
    await foundation.job(await call('DELETE', `/v3/apps/${app.guid}`));
    expect((await call('GET', `/v3/tasks/${answer.body.guid}`)).status).toBe(404);
  });
});
