import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ReadConfiguration } from '../../src/app/configuration.ts';
import { createReload, type Reload, type ReloadDeps } from '../../src/app/reload.ts';
import { originsSettings } from '../../src/config/inline.ts';
import type { Diagnostic } from '../../src/core/diagnostics.ts';
import { SluiceError } from '../../src/core/errors.ts';
import type { DomainEvent } from '../../src/core/events.ts';
import type { Settings } from '../../src/core/settings.ts';
import { createEventLog } from '../../src/events/log.ts';
import { type VirtualClock, virtualClock } from '../../src/lib/virtual-clock.ts';
import { silentLogger } from '../../src/observe/logger.ts';

const first: Settings = {
  ...originsSettings([{ name: 'a', url: 'http://127.0.0.1:1' }]),
  file: '/etc/sluice.yaml',
};
const other: Settings = { ...first, gateway: { ...first.gateway, workers: 2 } };
const fault: Diagnostic = {
  ...{ severity: 'error', file: 'sluice.yaml', line: 3, column: 1, path: 'x' },
  ...{ summary: 'unknown key', remedy: 'remove it' },
};

let clock: VirtualClock;
let found: ReadConfiguration;
let did: string[];
let told: DomainEvent[];
let fails: Partial<Record<'rehearse' | 'configureWorkers' | 'take', SluiceError>>;
let reload: Reload;

function reading(settings: Settings | undefined, text = 'text'): ReadConfiguration {
  return {
    settings,
    diagnostics: settings === undefined ? [fault] : [],
    files: new Map([
      ['/etc/sluice.yaml', text],
      ['/etc/gone.pem', undefined],
    ]),
  };
}

function step(what: keyof typeof fails, detail: string): void {
  did.push(`${what} ${detail}`);
  const error = fails[what];
  if (error) throw error;
}

beforeEach(() => {
  clock = virtualClock(1_000);
  found = reading(other);
  did = [];
  told = [];
  fails = {};
  const events = createEventLog({ clock, redact: (event) => event });
  events.onEvent(({ seq: _seq, at: _at, ...event }) => told.push(event));
  const deps: ReloadDeps = {
    ...{ clock, logger: silentLogger, events },
    read: () => found,
    complete: async (settings) => settings,
    rehearse: async (_before, { gateway }) => step('rehearse', `${gateway.workers}`),
    configureWorkers: async ({ workers }) => step('configureWorkers', `${workers}`),
    take: async (_before, { gateway }) => step('take', `${gateway.workers}`),
    watch: (files) => void did.push(`watch ${files.size}`),
    keep: (files) => void did.push(`keep ${Object.keys(files).join()}`),
  };
  reload = createReload(deps, { settings: first, refused: undefined });
});

async function reloaded(cause: 'signal' | 'files' = 'files'): Promise<void> {
  reload.soon(cause);
  await reload.settled();
}

describe('a changed configuration', () => {
  it('is rehearsed, given to the workers, put in force, and told', async () => {
    clock.advance(4_000);
    await reloaded();
    expect(did).toEqual(['watch 2', 'rehearse 2', 'configureWorkers 2', 'take 2', 'keep /etc/sluice.yaml']);
    expect(told).toEqual([{ type: 'configuration.reloaded', changed: ['gateway.workers'], warnings: 0 }]);
    expect(reload.status).toEqual({ file: '/etc/sluice.yaml', since: 5_000 });
  });

  it('with a fault changes nothing and says where', async () => {
    found = reading(undefined);
    await reloaded();
    expect(did).toEqual(['watch 2']);
    expect(told).toEqual([expect.objectContaining({ type: 'configuration.refused' })]);
    expect(reload.status).toMatchObject({
      since: 1_000,
      refused: { at: 1_000, message: '/etc/sluice.yaml has a fault', diagnostics: [fault] },
    });
    found = reading(first, 'mended');
    await reloaded();
    expect(reload.status.refused).toBeUndefined();
    expect(told).toHaveLength(1);
  });

  it('that cannot be decided reaches no worker', async () => {
    fails.rehearse = new SluiceError('BUG', 'no such policy');
    await reloaded();
    expect(did).toEqual(['watch 2', 'rehearse 2']);
    expect(reload.status.refused?.message).toBe('no such policy');
  });

  it('that a worker cannot take is taken back from those who could', async () => {
    fails.configureWorkers = new SluiceError('PORT_IN_USE', 'taken', { where: '0.0.0.0:80' });
    await reloaded();
    expect(did).toEqual(['watch 2', 'rehearse 2', 'configureWorkers 2', 'configureWorkers 1']);
    expect(told).toEqual([{ type: 'configuration.refused', message: 'taken', where: '0.0.0.0:80' }]);
    expect(reload.status.since).toBe(1_000);
  });

  it('of what cannot change is refused before anything is tried', async () => {
    found = reading({ ...other, state: { dir: '/elsewhere' } });
    await reloaded('signal');
    expect(did).toEqual(['watch 2']);
    expect(reload.status.refused?.message).toBe('state.dir cannot change while the gateway runs');
  });

  it('that is the same is no change', async () => {
    found = reading(structuredClone(first));
    await reloaded('signal');
    expect(did).toEqual(['watch 2', 'keep /etc/sluice.yaml']);
    expect(told).toEqual([]);
  });

  it('is read once for all who asked while another was under way', async () => {
    reload.soon('files');
    reload.soon('signal');
    reload.soon('files');
    await reload.settled();
    expect(did.filter((one) => one.startsWith('watch'))).toHaveLength(1);
    reload.soon('files');
    await reload.settled();
    expect(did.filter((one) => one.startsWith('watch'))).toHaveLength(2);
  });
});
