import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { documentsPresent, traces, whyAbsent } from './contract/documents.ts';
import { createReplay, type Replay } from './contract/replay.ts';
import { parseTrace, type TracedCommand, type TracedRequest } from './contract/trace.ts';
import { type Answer, type Foundation, startFoundation } from './foundation.ts';

if (!documentsPresent) process.stderr.write(`skipped: ${whyAbsent()}\n`);

const recorded: readonly (readonly [name: string, text: string])[] = documentsPresent
  ? [...traces()]
  : [['no recording', '']];

(documentsPresent ? describe : describe.skip)('contract: what the real client was seen to send', () => {
  describe.each(recorded)('%s', (name, text) => {
    const commands = parseTrace(text);
    let foundation: Foundation;
    let replay: Replay;
    let sent = 0;
    beforeAll(async () => {
      foundation = await startFoundation();
      const { body } = await foundation.call('POST', '/v3/organizations', { name: 'o' });
      const organization = { data: { guid: body.guid } };
      await foundation.call('POST', '/v3/spaces', { name: 's', relationships: { organization } });
      replay = createReplay(foundation);
    });
    afterAll(async () => {
      process.stdout.write(`trace ${name}: ${commands.length} commands, ${sent} requests replayed\n`);
      await foundation.close();
    });

    async function checked(request: TracedRequest): Promise<Answer> {
      const answer = await replay.send(request);
      sent += 1;
      const what = `${request.method} ${request.path}: ${answer.status} ${answer.text.slice(0, 300)}`;
      // The recording server had no answer to some; a foundation has.
      const good = request.unanswered ? answer.status < 300 : answer.status === request.status;
      expect(good ? 'as recorded' : what).toBe('as recorded');
      expect(answer.body?.state === 'FAILED' ? what : 'fine').toBe('fine');
      if (answer.status === 202 && request.method === 'DELETE') {
        expect(await foundation.job(answer)).toMatchObject({ state: 'COMPLETE' });
      }
      return answer;
    }

    /** A canary pauses at each of its steps: the command is given again until it has nothing left to do. */
    async function goOn({ requests }: TracedCommand): Promise<void> {
      for (let pauses = 0; pauses < 10; pauses++) {
        let paused = false;
        for (const request of requests) {
          const { body } = await checked(request);
          if (request.path.startsWith('/v3/deployments/') && request.method === 'GET') {
            paused = body.status.reason === 'PAUSED';
          }
        }
        if (!paused) return;
      }
      throw new Error('still paused');
    }

    it.each(commands.map((one) => [one.command, one] as const))('%s', async (title, one) => {
      if (title.startsWith('cf continue-deployment')) return goOn(one);
      for (const request of one.requests) await checked(request);
      if (!title.startsWith('cf push')) return;
      await foundation.until('an answer of what was pushed', async () => {
        return (await foundation.get('demo')).body?.version === 'v1';
      });
    });

    it('went through the deployments the engine’s ticks make', () => {
      const strategies = commands.map(({ command }) => /--strategy (\w+)/.exec(command)?.[1]);
      if (strategies.includes('rolling')) expect(replay.deployments).toContain('rolling ACTIVE/DEPLOYING');
      expect(replay.deployments.at(-1)).toMatch(/FINALIZED\/DEPLOYED( step \d)?$/);
      if (strategies.includes('canary')) {
        // Between the two it may move on faster than anybody looks.
        const paused = replay.deployments.filter((seen) => seen.startsWith('canary ACTIVE/PAUSED'));
        expect(paused).toEqual(['canary ACTIVE/PAUSED step 1', 'canary ACTIVE/PAUSED step 2']);
      }
    });
  });
});
