import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SoakOriginWord } from './soak-messages.ts';

/**
 * An application of the soak, `soak-origin-process.js PORT`: answers by length and in chunks, takes uploads, streams
 * events and speaks WebSocket. It holds nothing that must survive it; its parent kills it as it is.
 */
const EVENT_EVERY_MS = 100;
const PIECE = Buffer.alloc(16_384, 'x');
/** A text frame of a server, RFC 6455 5.2: final, unmasked, "tock". */
const TOCK = Buffer.concat([Buffer.from([0x81, 4]), Buffer.from('tock')]);

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, what = '', size = '0'] = (request.url ?? '').split('/');
  // Whoever leaves takes his answer with him.
  response.on('error', () => response.destroy());
  if (what === 'upload') upload(request, response);
  else if (what === 'events') events(response);
  else if (what === 'chunks') pieces(response, Number(size));
  else bytes(response, Number(size));
}

function upload(request: IncomingMessage, response: ServerResponse): void {
  let length = 0;
  request.on('data', (piece: Buffer) => {
    length += piece.length;
  });
  request.on('end', () => response.end(String(length)));
  request.on('error', () => response.destroy());
}

function events(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => response.write('data: tick\n\n'), EVENT_EVERY_MS);
  response.on('close', () => clearInterval(timer));
}

function pieces(response: ServerResponse, size: number): void {
  response.writeHead(200);
  let left = size;
  function next(): void {
    while (left > 0) {
      const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
      left -= piece.length;
      if (!response.write(piece)) {
        response.once('drain', next);
        return;
      }
    }
    response.end();
  }
  next();
}

function bytes(response: ServerResponse, size: number): void {
  const body = Buffer.alloc(size, 'x');
  response.writeHead(200, { 'content-length': size });
  response.end(body);
}

function upgrade(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.on('data', () => socket.write(TOCK));
  socket.on('end', () => socket.end());
  socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n');
  // RFC 6455 1.3: the answer to the sample nonce, which all our clients send.
  socket.write('sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n');
}

const server = createServer(answer);
server.on('upgrade', upgrade);
server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  process.send?.({ kind: 'listening' } satisfies SoakOriginWord);
});
process.on('disconnect', () => process.exit());
