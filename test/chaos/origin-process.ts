import { openSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { OriginMode, OriginOrder, OriginSetting, OriginWord } from './origin-messages.ts';
import { type AskedRequest, RequestReader } from './request-reader.ts';

/**
 * An application behind the proxies that breaks on demand: `origin-process.js SETTING_JSON`, orders over the channel
 * to its parent. Plain sockets, because it shares two cores with everything that is watched.
 */
const setting = JSON.parse(process.argv[2]!) as OriginSetting;
const SLOW_FACTOR = 10;
/** Long enough that the head and the first half have been passed on before the reset overtakes them. */
const CUT_AFTER_MS = 5;

const body = Buffer.alloc(setting.bodyBytes, 'x');
body[setting.bodyBytes - 1] = 'z'.charCodeAt(0);
const half = Math.floor(setting.bodyBytes / 2);
const framedByLength = Buffer.concat([head('200 OK', `content-length: ${setting.bodyBytes}`), body]);
const framedByChunks = Buffer.concat([
  head('200 OK', 'transfer-encoding: chunked'),
  chunk(body.subarray(0, half)),
  chunk(body.subarray(half)),
  Buffer.from('0\r\n\r\n'),
]);
const unavailable = Buffer.concat([
  head('503 Service Unavailable', 'content-length: 5'),
  Buffer.from('away\n'),
]);

/** Appended to one by one before anything is answered: what is written there survives the SIGKILL that follows. */
const ledger = openSync(setting.ledgerFile, 'a');
const sockets = new Set<Socket>();
/** Those that were left without an answer. */
const owing = new Set<Socket>();
let mode: OriginMode = 'well';

const server = createServer({ noDelay: true }, (socket) => {
  const reader = new RequestReader();
  sockets.add(socket);
  socket.on('data', (bytes) => {
    for (const request of reader.push(bytes)) serve(socket, request);
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    sockets.delete(socket);
    owing.delete(socket);
  });
});

function serve(socket: Socket, { method, target, closes }: AskedRequest): void {
  if (mode === 'unavailable') {
    reply(
      socket,
      method === 'HEAD' ? head('503 Service Unavailable', 'content-length: 5') : unavailable,
      closes,
    );
    return;
  }
  if (method === 'POST') writeSync(ledger, `${target}\n`);
  if (mode === 'halfOpen') {
    owing.add(socket);
    return;
  }
  const answer =
    method === 'HEAD'
      ? head('200 OK', `content-length: ${setting.bodyBytes}`)
      : target.startsWith('/chunks')
        ? framedByChunks
        : framedByLength;
  const cuts = mode === 'cut' && method !== 'HEAD';
  const latency = setting.latencyMs * (mode === 'slow' ? SLOW_FACTOR : 1);
  setTimeout(() => {
    if (cuts) cut(socket, answer);
    else reply(socket, answer, closes);
  }, latency);
}

function reply(socket: Socket, answer: Buffer, closes: boolean): void {
  if (closes) socket.end(answer);
  else socket.write(answer);
}

function cut(socket: Socket, answer: Buffer): void {
  socket.write(answer.subarray(0, answer.length - half));
  setTimeout(() => socket.resetAndDestroy(), CUT_AFTER_MS);
}

function head(status: string, framing: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\nx-origin: ${setting.name}\r\ncontent-type: text/plain\r\n${framing}\r\n\r\n`,
  );
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

function say(word: OriginWord): void {
  process.send?.(word);
}

process.on('message', (order: OriginOrder) => {
  if (order.kind === 'die') {
    for (const socket of sockets) socket.resetAndDestroy();
    process.kill(process.pid, 'SIGKILL');
    return;
  }
  // Whoever was left waiting learns now, as after a restart.
  if (mode === 'halfOpen') for (const socket of owing) socket.resetAndDestroy();
  ({ mode } = order);
  say({ kind: 'changed' });
});
process.on('disconnect', () => process.exit());

server.listen({ port: setting.port, host: '127.0.0.1', backlog: 4096 }, () => say({ kind: 'listening' }));
