import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_GATEWAY } from '../../../src/core/settings.ts';
import { sharedBytes } from '../../../src/gateway/http1/octet-scan.ts';
import { Outlet } from '../../../src/gateway/http1/outlet.ts';
import { WireContext } from '../../../src/gateway/http1/wire-context.ts';
import { QUEUED } from '../../../src/gateway/wire.ts';
import { virtualClock } from '../../../src/lib/virtual-clock.ts';
import { until } from '../harness.ts';
import { certificateFor } from '../tls/clients.ts';

/** More than the system takes for a peer that does not read. */
const MUCH = 12 * 1_048_576;

/** Poisoned, so that memory used after it was given back shows. */
function newContext(): WireContext {
  return new WireContext(DEFAULT_GATEWAY, virtualClock(), true);
}

describe.each(['plain', 'encrypted'] as const)('the way out over a socket that is %s', (kind) => {
  const done: (() => void)[] = [];

  afterEach(() => {
    for (const undo of done.splice(0)) undo();
  });

  /** Both ends of a connection; what the peer gets is read when it is told to. */
  async function connection(context = newContext()): Promise<{
    outlet: Outlet;
    peer: Socket;
    drains: () => number;
    turn: (run: () => void) => void;
  }> {
    const secure = kind === 'encrypted';
    const server = secure ? tls.createServer({ ...certificateFor('a.test') }) : net.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const accepted = once(server, secure ? 'secureConnection' : 'connection');
    const peer = secure
      ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    peer.on('error', () => undefined);
    peer.pause();
    const [socket] = (await accepted) as [Socket];
    socket.on('error', () => undefined);
    let drained = 0;
    const outlet = new Outlet(socket, context, () => {
      drained += 1;
    });
    socket.on('close', () => outlet.gone());
    done.push(() => {
      peer.destroy();
      socket.destroy();
      server.close();
    });
    const turn = (run: () => void): void => {
      context.turn.begin();
      run();
      context.turn.end();
    };
    return { outlet, peer, drains: () => drained, turn };
  }

  /** Some of it staged, some of it big, some in chunks of the protocol; the text that is expected of it. */
  function sendSome(outlet: Outlet, round: number): string {
    const small = `<${round}>`;
    const big = Buffer.alloc(9_000 + round, `${round % 10}`);
    outlet.stage(small.length).text(small);
    outlet.send(big);
    outlet.sendChunk(Buffer.from(small));
    outlet.sendChunk(big);
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
    return small + big.toString() + chunk(small) + chunk(big.toString());
  }

  async function all(peer: Socket): Promise<string> {
    const parts: Buffer[] = [];
    peer.on('data', (part: Buffer) => parts.push(part));
    peer.resume();
    await once(peer, 'end');
    return Buffer.concat(parts).toString('latin1');
  }

  it('keeps the order of whatever is sent, and ends behind it', async () => {
    const { outlet, peer, turn } = await connection();
    let expected = '';
    for (let turns = 0; turns < 40; turns += 1) {
      turn(() => {
        for (let i = 0; i < 10; i += 1) expected += sendSome(outlet, 10 * turns + i);
      });
      if (turns % 7 === 0) await sleep(1);
    }
    turn(() => outlet.end());
    expect((await all(peer)) === expected).toBe(true);
  });

  it('asks to wait when the peer does not read, tells when it has, and loses nothing', async () => {
    const { outlet, peer, drains, turn } = await connection();
    let expected = '';
    let answer: number = 0;
    for (let i = 0; expected.length < MUCH; i += 1) {
      turn(() => {
        expected += sendSome(outlet, i);
        const last = Buffer.from('.');
        answer = outlet.send(last);
        expected += '.';
      });
    }
    expect(answer).toBe(QUEUED);
    expect(outlet.awaitClear()).toBe(false);
    const told = drains();
    const whole = all(peer);
    await until(() => drains() > told);
    expect(outlet.awaitClear()).toBe(true);
    turn(() => outlet.end());
    expect((await whole) === expected).toBe(true);
  });

  it('ends only when a slow peer has everything', async () => {
    const { outlet, peer, turn } = await connection();
    let expected = '';
    turn(() => {
      for (let i = 0; expected.length < MUCH; i += 1) expected += sendSome(outlet, i);
      outlet.end(true);
    });
    await sleep(20);
    expect((await all(peer)) === expected).toBe(true);
  });

  it('keeps what a slow peer is still owed out of what others get, and the other way round', async () => {
    const shared = newContext();
    const slow = await connection(shared);
    const quick = await connection(shared);
    const owed: string[] = [];
    const got: string[] = [];
    function say(to: typeof slow, into: string[], text: string): void {
      to.turn(() => {
        sharedBytes.write(text, 100, 'latin1');
        const staging = to.outlet.stage(text.length + 1);
        staging.octets(sharedBytes, 100, 100 + text.length);
        staging.text('\n');
        sharedBytes.fill(0xdd, 100, 100 + text.length);
      });
      into.push(`${text}\n`);
    }
    const toQuick = all(quick.peer);
    for (let i = 0; owed.length * 20_000 < MUCH; i += 1) {
      say(slow, owed, `${i}`.padEnd(20_000, 'slow'));
      say(quick, got, `${i}`.padEnd(200, 'quick'));
      if (i % 20 === 0) await sleep(1);
    }
    expect(slow.outlet.awaitClear()).toBe(false);
    const told = slow.drains();
    const toSlow = all(slow.peer);
    await until(() => slow.drains() > told);
    for (let i = 0; i < 10; i += 1) {
      say(quick, got, `${i}`.padEnd(300, 'quick'));
      say(slow, owed, `${i}`.padEnd(300, 'slow'));
    }
    slow.turn(() => slow.outlet.end());
    quick.turn(() => quick.outlet.end());
    expect((await toSlow) === owed.join('')).toBe(true);
    expect((await toQuick) === got.join('')).toBe(true);
  });

  it('survives a peer that goes in the middle', async () => {
    const { outlet, peer, turn } = await connection();
    turn(() => {
      for (let i = 0; i < 400; i += 1) sendSome(outlet, i);
    });
    peer.destroy();
    for (let i = 0; i < 50; i += 1) {
      turn(() => sendSome(outlet, i));
      await sleep(1);
    }
    turn(() => outlet.end());
  });
});
