import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

const NOTHING = Buffer.alloc(0);

/**
 * What comes from a client, chunk by chunk, for as long as it is not held back.
 *
 * A stream queues what its socket pushes, tells its listeners, and asks for more in a tick of its own; for a request
 * that comes in one piece that is some part of a microsecond each. So `push`, by which a socket hands over what it
 * has read, leads here at once. Sockets that encrypt, or hold something already, take the long way.
 */
export class ClientSource {
  readonly #socket: Socket;
  readonly #came: (chunk: Buffer) => void;
  readonly #isDirect: boolean;
  #isHeld = false;

  constructor(socket: Socket, came: (chunk: Buffer) => void) {
    this.#socket = socket;
    this.#came = came;
    this.#isDirect = !('encrypted' in socket) && socket.readableLength === 0;
    socket.on('data', came);
    if (this.#isDirect) socket.push = (chunk: Buffer | null) => this.#pushed(chunk);
  }

  /** The client has to wait. From within `came` nothing more is read; from elsewhere a chunk may still come. */
  hold(): void {
    if (this.#isHeld || this.#socket.destroyed) return;
    this.#isHeld = true;
    this.#socket.pause();
  }

  release(): void {
    if (!this.#isHeld || this.#socket.destroyed) return;
    this.#isHeld = false;
    this.#socket.resume();
    // A push ends what the stream takes for a read under way, and only then does it begin another.
    if (this.#isDirect) Readable.prototype.push.call(this.#socket, NOTHING);
  }

  /** Null is the end, which is the stream's to tell. False: the socket stops reading. */
  #pushed(chunk: Buffer | null): boolean {
    if (chunk === null) return Readable.prototype.push.call(this.#socket, null);
    this.#came(chunk);
    return !this.#isHeld;
  }
}
