import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OpenShiftClient } from '../../../../providers/openshift/client.ts';
import { VersionForgotten } from '../../../../providers/openshift/errors.ts';
import { POD } from '../../../../providers/openshift/resources.ts';
import { type KindWatch, watchKind } from '../../../../providers/openshift/watch/kind-watch.ts';
import { SILENT_MS } from '../../../../providers/openshift/watch/machine.ts';
import { type Thing, thingSchema } from '../../../../providers/openshift/wire.ts';
import { type VirtualClock, virtualClock } from '../../../../src/lib/virtual-clock.ts';
import { settled } from '../../../support/virtual-time.ts';

/** A server in the test's hands: what a list shows, and what comes through the watch that is open. */
class Server {
  readonly asked: string[] = [];
  pods: Thing[] = [];
  version = 1;
  refusal: Error | undefined;
  #open: ((line: string | undefined) => void) | undefined;

  readonly client: Pick<OpenShiftClient, 'listed' | 'watch'> = {
    listed: async <T>(resource: { schema: { parse(value: unknown): T } }) => {
      this.asked.push('list');
      return { items: this.pods.map((pod) => resource.schema.parse(pod)), version: String(this.version) };
    },
    watch: async (_, { version }) => {
      this.asked.push(`watch ${version}`);
      const { refusal } = this;
      this.refusal = undefined;
      if (refusal) throw refusal;
      return this.#lines();
    },
  };

  send(type: string, object: object): void {
    this.#open?.(`${JSON.stringify({ type, object })}\n`);
  }

  end(): void {
    this.#open?.(undefined);
  }

  async *#lines(): AsyncGenerator<Buffer> {
    const queue: (string | undefined)[] = [];
    let wake: () => void = () => undefined;
    this.#open = (line) => {
      queue.push(line);
      wake();
    };
    for (;;) {
      while (queue.length > 0) {
        const line = queue.shift();
        if (line === undefined) return;
        yield Buffer.from(line);
      }
      await new Promise<void>((next) => {
        wake = next;
      });
    }
  }
}

function pod(name: string, resourceVersion: string): Thing {
  return thingSchema.parse({ metadata: { name, resourceVersion } });
}

let clock: VirtualClock;
let server: Server;
let watch: KindWatch;
let changed: string[];
const { signal } = new AbortController();

beforeEach(async () => {
  clock = virtualClock(1_000_000);
  server = new Server();
  server.pods = [pod('a', '1')];
  changed = [];
  watch = watchKind(
    {
      client: server.client,
      clock,
      random: () => 1,
      labelSelector: 'ours',
      changed: ({ metadata }) => void changed.push(metadata.name),
    },
    POD,
  );
  await settled();
});

afterEach(() => watch.close());

async function after(ms: number): Promise<void> {
  clock.advance(ms);
  await settled();
}

const names = (): readonly string[] => [...watch.things.keys()];

describe('a copy that is kept by a watch', () => {
  it('has what was listed and follows what happens', async () => {
    server.send('ADDED', pod('b', '2'));
    server.send('DELETED', pod('a', '3'));
    await settled();
    expect(names()).toEqual(['b']);
    expect(changed).toEqual(['a', 'b', 'a']);
    expect(server.asked).toEqual(['list', 'watch 1']);
  });

  it('says since when it has known all there is', async () => {
    expect(watch.knownAt).toBe(1_000_000);
    await after(3_000);
    server.send('BOOKMARK', { metadata: { resourceVersion: '9' } });
    await settled();
    expect(watch.knownAt).toBe(1_003_000);
  });

  it('goes on from the bookmark when the server ends the watch', async () => {
    await after(5_000);
    server.send('BOOKMARK', { metadata: { resourceVersion: '9' } });
    server.end();
    await settled();
    expect(server.asked).toEqual(['list', 'watch 1', 'watch 9']);
  });

  it('lists anew at a 410 within the stream, and drops what is gone', async () => {
    server.pods = [pod('c', '8')];
    server.version = 8;
    server.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
    await settled();
    expect(names()).toEqual(['c']);
    expect(server.asked).toEqual(['list', 'watch 1', 'list', 'watch 8']);
  });

  it('lists anew at a 410 as an answer', async () => {
    await after(5_000);
    server.refusal = new VersionForgotten('ocp', 'too old');
    server.end();
    await settled();
    expect(server.asked).toEqual(['list', 'watch 1', 'watch 1', 'list', 'watch 1']);
  });

  it('begins a silent watch anew', async () => {
    await after(SILENT_MS + 1_000);
    expect(server.asked).toEqual(['list', 'watch 1', 'watch 1']);
    server.send('ADDED', pod('b', '2'));
    await settled();
    expect(names()).toEqual(['a', 'b']);
  });

  it('takes a line that is no event for a broken connection', async () => {
    server.send('ADDED', { metadata: { name: 'without a version' } });
    await settled();
    expect(watch.knownAt).toBeUndefined();
    await after(1_000);
    expect(server.asked).toEqual(['list', 'watch 1', 'watch 1']);
  });
});

describe('proving a copy', () => {
  it('makes it younger when a read shows the same', async () => {
    await after(9_000);
    expect(await watch.prove(signal)).toBe(true);
    expect(watch.knownAt).toBe(1_009_000);
  });

  it('waits a moment for the event of what a read shows already', async () => {
    server.pods = [pod('a', '1'), pod('b', '2')];
    const proven = watch.prove(signal);
    await settled();
    server.send('ADDED', pod('b', '2'));
    await settled();
    await after(500);
    expect(await proven).toBe(true);
    expect(server.asked).toEqual(['list', 'watch 1', 'list']);
  });

  it('finds a watch that went deaf, and begins anew with what is there', async () => {
    server.pods = [];
    const proven = watch.prove(signal);
    await settled();
    await after(500);
    expect(await proven).toBe(false);
    expect(names()).toEqual([]);
    expect(server.asked).toEqual(['list', 'watch 1', 'list', 'list', 'watch 1']);
  });
});
