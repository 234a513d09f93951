import { chmod, mkdir, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { SluiceError } from '../../core/errors.ts';

/** What a socket address holds on every system we run on (Linux 107, macOS 103). */
const LONGEST_PATH = 103;

/** Listens on a unix socket that only its owner may use. Replaces a socket nobody listens on; refuses a live one. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new SluiceError('USAGE', 'the path of the socket is too long', {
      where: path,
      why: `systems take at most ${LONGEST_PATH} bytes`,
      remedy: 'give a shorter one with --socket',
    });
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (await answers(path)) throw inUse(path);
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? inUse(path) : cannotListen(path, error));
    });
    // The file is made within the call of listen, so nobody else can connect before its mode is set.
    const before = process.umask(0o177);
    try {
      server.listen(path, resolve);
    } finally {
      process.umask(before);
    }
  });
  await chmod(path, 0o600);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function inUse(path: string): SluiceError {
  return new SluiceError('PORT_IN_USE', 'another host daemon listens on this socket', {
    where: path,
    why: 'something answered when we connected to it',
    remedy: 'use that one, or stop it first, or give another socket with --socket',
  });
}

function cannotListen(path: string, error: NodeJS.ErrnoException): SluiceError {
  return new SluiceError('STATE_UNREADABLE', 'the socket of the host daemon cannot be made', {
    where: path,
    why: error.message,
    remedy: 'check that the folder is there and writable, or give another path with --socket',
    cause: error,
  });
}
