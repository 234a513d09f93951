import { describe, expect, it } from '@jest/globals';
import type { Bundle, TargetSpec } from '../../../src/core/provider.ts';
import type { MadeService, ServicePower } from '../../../src/core/service-power.ts';
import { type ServiceSpec, serviceVariable } from '../../../src/core/services.ts';
import { sampleBundle } from '../../support/sample-app.ts';
import type { OfferedServices } from '../provider.ts';
import type { Suite } from './suite.ts';

/** Adds its release to a file in the volume `files`, and answers with all that is in it. */
const KEEPER = `import { createServer } from 'node:http';
import { appendFileSync, readFileSync } from 'node:fs';
const { FILES_PATH, SLUICE_RELEASE, PORT } = process.env;
appendFileSync(FILES_PATH + '/releases', SLUICE_RELEASE + '\\n');
createServer((request, response) => {
  response.setHeader('x-release', SLUICE_RELEASE);
  response.end(readFileSync(FILES_PATH + '/releases'));
}).listen(Number(PORT));
process.on('SIGTERM', () => process.exit(0));
`;

/** Services that the provider makes itself, on one application; the cases build on each other. */
export function withServices(suite: Suite): void {
  describe('an application with services', () => {
    const app = (): string => suite.app('svc');
    const power = (): ServicePower => suite.drive.fresh().services!;
    const made = (): Promise<readonly MadeService[]> => power().made(suite.drive.context, app());
    const wish = (number: number, services: readonly ServiceSpec[]): TargetSpec => ({
      ...suite.wish(app(), number, { instances: 1 }),
      ...(services.length === 0 ? {} : { services }),
    });
    const ensured = (want: TargetSpec) =>
      suite.drive.settle(suite.drive.fresh().services!.ensure(suite.drive.context, want));

    function the(says: string, work: (offered: OfferedServices) => Promise<void>): void {
      it(says, async () => {
        const { services } = suite.harness;
        if (services === undefined) suite.leaveOut();
        else await work(services);
      });
    }

    async function deployed(want: TargetSpec, bundle: Bundle = suite.ok): Promise<void> {
      const { drive } = suite;
      const artifact = await drive.stage(want, bundle);
      // As the orchestrator does: what is told something when it is bound is bound by the second round.
      for (let round = 0; round < 2; round++)
        expect(await ensured(want)).toMatchObject({ state: 'succeeded' });
      await drive.succeed(drive.fresh().apply(drive.context, want, artifact));
    }

    the('has none that nobody asked for, and removing none succeeds', async () => {
      expect(await made()).toEqual([]);
      await suite.drive.succeed(power().remove(suite.drive.context, app()));
    });

    the('makes them before the release runs, and hands out what they have', async ({ kept, dropped }) => {
      await deployed(wish(1, [kept.spec, dropped.spec]));
      const { env } = await suite.observe(app());
      for (const { spec, key } of [kept, dropped]) {
        expect(env[serviceVariable(spec.name, key)]).toEqual(expect.stringMatching(/./));
      }
      expect((await made()).map(({ service }) => service).sort()).toEqual(
        [kept.spec.name, dropped.spec.name].sort(),
      );
      const handed = await power().handedOut(suite.drive.context, app(), [kept.spec]);
      const variable = serviceVariable(kept.spec.name, kept.key);
      expect(handed?.[kept.spec.name]?.[variable]).toBe(env[variable]);
    });

    the('changes nothing when it is repeated, in the plan either', async ({ kept, dropped }) => {
      const want = wish(1, [kept.spec, dropped.spec]);
      const before = (await suite.observe(app())).env;
      expect(await ensured(want)).toMatchObject({ state: 'succeeded' });
      const { drive } = suite;
      const changes = await drive.fresh().plan(drive.context, want, await suite.observe(app()));
      expect(changes.filter(({ action }) => action !== 'none')).toEqual([]);
      expect((await suite.observe(app())).env).toEqual(before);
    });

    the('keeps what was made for one that is not wanted any more', async ({ kept, dropped }) => {
      const want = wish(2, [kept.spec]);
      await deployed(want);
      const { drive } = suite;
      if (power().unbind !== undefined) {
        for (let twice = 0; twice < 2; twice++)
          await drive.succeed(drive.fresh().services!.unbind!(drive.context, want));
        const handed = await power().handedOut(drive.context, app(), [kept.spec, dropped.spec]);
        expect(Object.keys(handed ?? {})).toEqual([kept.spec.name]);
      }
      const { env } = await suite.observe(app());
      expect(env).toHaveProperty(serviceVariable(kept.spec.name, kept.key));
      expect(env).not.toHaveProperty(serviceVariable(dropped.spec.name, dropped.key));
      expect((await made()).map(({ service }) => service)).toContain(dropped.spec.name);
    });

    the('tells who else uses them', async ({ kept, borrow }) => {
      if (borrow === undefined) return suite.leaveOut();
      expect((await made()).flatMap(({ usedBy }) => usedBy)).toEqual([]);
      const giveBack = await borrow(app(), kept.spec);
      const lent = (await made()).find(({ service }) => service === kept.spec.name);
      expect(lent?.usedBy).toHaveLength(1);
      await giveBack();
    });

    the('leaves them when the application is destroyed, and removes them when it is told to', async () => {
      await suite.destroy(app());
      expect(await made()).toHaveLength(2);
      for (let twice = 0; twice < 2; twice++)
        await suite.drive.succeed(power().remove(suite.drive.context, app()));
      expect(await made()).toEqual([]);
    });

    the('finds in a volume what the release before has written to it', async ({ volume }) => {
      if (volume === undefined) return suite.leaveOut();
      const keeper = await sampleBundle('ok', { 'keeper.js': KEEPER });
      const kept = (number: number): TargetSpec => {
        const want = wish(number, [volume]);
        return { ...want, process: { ...want.process, command: 'node keeper.js' } };
      };
      try {
        await deployed(kept(1), keeper);
        await deployed(kept(2), keeper);
        const { drive } = suite;
        await drive.succeed(drive.fresh().retire(drive.context, app(), kept(1).release.id));
        const [answer] = await suite.answeredBy(app(), kept(2).release.id);
        expect(answer?.body).toBe([kept(1), kept(2)].map(({ release }) => `${release.id}\n`).join(''));
      } finally {
        await keeper.remove();
      }
      await suite.destroy(app());
      await suite.drive.succeed(power().remove(suite.drive.context, app()));
    });
  });
}
