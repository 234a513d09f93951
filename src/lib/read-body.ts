import type { Readable } from 'node:stream';

/** All bytes of a stream, or the error that `refuse` makes as soon as there are more than `most`. */
export async function readBody(stream: Readable, most: number, refuse: () => Error): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    const bytes: Buffer = Buffer.isBuffer(part) ? part : Buffer.from(String(part));
    size += bytes.length;
    if (size > most) throw refuse();
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
