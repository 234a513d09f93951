import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { closeFrame, WebSocketFrames } from '../../src/gateway/websocket-frames.ts';

interface Frame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly masked: boolean;
  readonly length: number;
  /** Longer than needed, as RFC 6455 forbids and some senders do all the same. */
  readonly wide: boolean;
}

/** As the other side of a socket would write it. */
function encode({ opcode, fin, masked, length, wide }: Frame): Buffer {
  const first = (fin ? 0x80 : 0) | opcode;
  const mask = masked ? 0x80 : 0;
  let header: Buffer;
  if (length > 0xffff || (wide && length > 200)) {
    header = Buffer.alloc(10);
    header.writeUInt8(mask | 127, 1);
    header.writeBigUInt64BE(BigInt(length), 2);
  } else if (length > 125 || wide) {
    header = Buffer.alloc(4);
    header.writeUInt8(mask | 126, 1);
    header.writeUInt16BE(length, 2);
  } else header = Buffer.of(0, mask | length);
  header[0] = first;
  // What stands in a payload looks like the beginning of another Close.
  return Buffer.concat([
    header,
    Buffer.from(masked ? [0x88, 0x00, 0x81, 0x7f] : []),
    Buffer.alloc(length, 0x88),
  ]);
}

const frame: fc.Arbitrary<Frame> = fc.record({
  opcode: fc.constantFrom(0x0, 0x1, 0x2, 0x9, 0xa),
  fin: fc.boolean(),
  masked: fc.boolean(),
  length: fc.oneof(fc.constantFrom(0, 1, 125, 126, 127, 300, 65_535, 65_536), fc.nat({ max: 400 })),
  wide: fc.boolean(),
});

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const all: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    all.push(bytes.subarray(from, place));
    from = place;
  }
  return all;
}

describe('WebSocketFrames', () => {
  it('is between frames exactly where one ends, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (frames, cuts) => {
          const encoded = frames.map(encode);
          const boundaries = new Set([0]);
          let total = 0;
          for (const bytes of encoded) {
            total += bytes.length;
            boundaries.add(total);
          }
          const tracker = new WebSocketFrames();
          let at = 0;
          for (const piece of cut(Buffer.concat(encoded), cuts)) {
            tracker.follow(piece);
            at += piece.length;
            expect(tracker.isBetween).toBe(boundaries.has(at));
          }
          expect(tracker.isLost).toBe(false);
          expect(tracker.hasClosed).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds the next boundary from any place, in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.array(fc.nat(), { maxLength: 6 }),
        (frames, somewhere, cuts) => {
          const bytes = Buffer.concat(frames.map(encode));
          const from = somewhere % bytes.length;
          let expected = 0;
          for (const each of frames) {
            if (expected >= from) break;
            expected += encode(each).length;
          }
          const tracker = new WebSocketFrames();
          tracker.follow(bytes.subarray(0, from));
          let found = tracker.isBetween ? from : -1;
          let at = from;
          for (const piece of cut(bytes.subarray(from), cuts)) {
            if (found >= 0) break;
            const end = tracker.followToBoundary(piece);
            if (end >= 0) found = at + end;
            at += piece.length;
          }
          expect(found).toBe(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('byte by byte sees the same as in one piece', () => {
    const bytes = Buffer.concat(
      [0, 125, 126, 65_536].map((length) =>
        encode({ opcode: 2, fin: true, masked: true, length, wide: false }),
      ),
    );
    const tracker = new WebSocketFrames();
    let boundaries = 0;
    for (const octet of bytes) {
      tracker.follow(Uint8Array.of(octet));
      if (tracker.isBetween) boundaries += 1;
    }
    expect(boundaries).toBe(4);
  });

  it.each([
    ['from a server', closeFrame(1001)],
    ['from a client', closeFrame(1001, [1, 2, 3, 4])],
    ['without a code', Buffer.of(0x88, 0)],
  ])('knows a Close %s', (_what, bytes) => {
    const tracker = new WebSocketFrames();
    tracker.follow(bytes.subarray(0, bytes.length - 1));
    expect(tracker.hasClosed).toBe(false);
    tracker.follow(bytes.subarray(-1));
    expect([tracker.hasClosed, tracker.isBetween]).toEqual([true, true]);
  });

  it.each([
    ['the highest bit', [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1]],
    ['more than a number holds', [0x82, 127, 0, 0x20, 0, 0, 0, 0, 0, 0]],
  ])('gives up on a length with %s, and is never between frames again', (_what, octets) => {
    const tracker = new WebSocketFrames();
    tracker.follow(Uint8Array.from(octets));
    expect([tracker.isLost, tracker.isBetween]).toEqual([true, false]);
    expect(tracker.followToBoundary(Buffer.of(0x88, 0))).toBe(-1);
    tracker.follow(Buffer.of(0x88, 0));
    expect([tracker.isBetween, tracker.hasClosed]).toEqual([false, false]);
  });
});

describe('closeFrame', () => {
  it('says the code, in the clear or masked', () => {
    expect([...closeFrame(1001)]).toEqual([0x88, 0x02, 0x03, 0xe9]);
    expect([...closeFrame(1001, [0xff, 0x00, 0x12, 0x34])]).toEqual([
      0x88, 0x82, 0xff, 0x00, 0x12, 0x34, 0xfc, 0xe9,
    ]);
  });
});
