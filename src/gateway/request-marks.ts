import { Buffer } from 'node:buffer';

/**
 * By what a request and its answer are known further on: our element of Via, an id, a place in a trace. As text for
 * logs and for wires that speak in text; a wire that speaks in bytes has the lines put where it wants them, and then
 * no text is ever made.
 */
export interface RequestMarks {
  /** Our own element of Via. */
  readonly via: string;
  readonly requestId: string;
  /** W3C Trace Context. */
  readonly traceparent: string;
  /** Of `traceparent`, for logs. */
  readonly traceId: string;
  /** The trace began before us; a new one knows nothing of the old one's `tracestate`. */
  readonly continues: boolean;
  /** Bytes of `via`, `x-request-id` and the empty line, and of all four lines. */
  readonly answerLength: number;
  readonly length: number;
  /** Puts `via` and `x-request-id` there, which the client is told too, and the end of the head. */
  putAnswerLines(bytes: Buffer, at: number): void;
  /** The same with `traceparent` before the end. */
  putLines(bytes: Buffer, at: number): void;
}

const WORD_DIGITS = 8;
const TRACEPARENT_LENGTH = 55;
const CRLF = '\r\n';
const TRACE_LINE_LENGTH = 'traceparent: '.length + TRACEPARENT_LENGTH + CRLF.length;
/** Of `00-trace-parent-00`, from behind: what is drawn of the trace, and the parent. */
const TRACE_FROM_END = TRACEPARENT_LENGTH - 19 + 2 * CRLF.length;
const PARENT_FROM_END = TRACEPARENT_LENGTH - 36 + 2 * CRLF.length;
/** Of the count in what the client is told. */
const COUNT_FROM_END = WORD_DIGITS + 2 * CRLF.length;
const ONE = 0x31;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

/** The lines of `FreshMarks` with what all requests of a worker share; the digits in between come later. */
export interface FreshLines {
  readonly all: Buffer;
  readonly ofAnswer: Buffer;
  readonly worker: string;
  readonly trace: string;
}

export function freshLines(via: string, worker: string, trace: string): FreshLines {
  const all = Buffer.from(
    linesOf(via, `${worker}00000000`, `00-${trace}${'0'.repeat(16)}-${'0'.repeat(16)}-00`),
    'latin1',
  );
  return { all, ofAnswer: Buffer.from(withoutTrace(all.toString('latin1')), 'latin1'), worker, trace };
}

/** Of a request that came without any. Five words of 32 bits make all the difference between two of them. */
export class FreshMarks implements RequestMarks {
  readonly via: string;
  readonly #lines: FreshLines;
  readonly #count: number;
  readonly #trace1: number;
  readonly #trace2: number;
  readonly #parent1: number;
  readonly #parent2: number;

  constructor(
    via: string,
    lines: FreshLines,
    count: number,
    trace1: number,
    trace2: number,
    parent1: number,
    parent2: number,
  ) {
    this.via = via;
    this.#lines = lines;
    this.#count = count;
    this.#trace1 = trace1;
    this.#trace2 = trace2;
    this.#parent1 = parent1;
    this.#parent2 = parent2;
  }

  get continues(): boolean {
    return false;
  }

  get length(): number {
    return this.#lines.all.length;
  }

  get answerLength(): number {
    return this.#lines.ofAnswer.length;
  }

  get requestId(): string {
    return this.#lines.worker + hex(this.#count);
  }

  get traceId(): string {
    return this.#lines.trace + hex(this.#trace1) + hex(this.#trace2);
  }

  get traceparent(): string {
    return this.#text().slice(-TRACEPARENT_LENGTH - 2 * CRLF.length, -2 * CRLF.length);
  }

  putLines(bytes: Buffer, at: number): void {
    const { all } = this.#lines;
    bytes.set(all, at);
    const end = at + all.length;
    this.#putCount(bytes, at);
    putHex(bytes, end - TRACE_FROM_END, this.#trace1);
    putHex(bytes, end - TRACE_FROM_END + 8, this.#trace2);
    putHex(bytes, end - PARENT_FROM_END, this.#parent1);
    // Never all zeros, whatever is drawn.
    bytes[end - PARENT_FROM_END + 7] = ONE;
    putHex(bytes, end - PARENT_FROM_END + 8, this.#parent2);
  }

  putAnswerLines(bytes: Buffer, at: number): void {
    bytes.set(this.#lines.ofAnswer, at);
    this.#putCount(bytes, at);
  }

  #putCount(bytes: Buffer, at: number): void {
    putHex(bytes, at + this.answerLength - COUNT_FROM_END, this.#count);
  }

  #text(): string {
    const bytes = Buffer.allocUnsafe(this.length);
    this.putLines(bytes, 0);
    return bytes.toString('latin1');
  }
}

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, octet) =>
  octet.toString(16).padStart(2, '0'),
);

function hex(word: number): string {
  return PAIRS[word >>> 24]! + PAIRS[(word >>> 16) & 255]! + PAIRS[(word >>> 8) & 255]! + PAIRS[word & 255]!;
}

/** Of a request that came with an id, or within a trace. */
export class GivenMarks implements RequestMarks {
  readonly via: string;
  readonly requestId: string;
  readonly traceparent: string;
  readonly continues: boolean;
  readonly #lines: string;
  readonly #answerLines: string;

  constructor(via: string, requestId: string, traceparent: string, continues: boolean) {
    this.via = via;
    this.requestId = requestId;
    this.traceparent = traceparent;
    this.continues = continues;
    this.#lines = linesOf(via, requestId, traceparent);
    this.#answerLines = withoutTrace(this.#lines);
  }

  get traceId(): string {
    return this.traceparent.slice(3, 35);
  }

  get length(): number {
    return this.#lines.length;
  }

  get answerLength(): number {
    return this.#answerLines.length;
  }

  putLines(bytes: Buffer, at: number): void {
    bytes.write(this.#lines, at, 'latin1');
  }

  putAnswerLines(bytes: Buffer, at: number): void {
    bytes.write(this.#answerLines, at, 'latin1');
  }
}

function linesOf(via: string, requestId: string, traceparent: string): string {
  return `via: ${via}\r\nx-request-id: ${requestId}\r\ntraceparent: ${traceparent}\r\n\r\n`;
}

function withoutTrace(lines: string): string {
  return `${lines.slice(0, -TRACE_LINE_LENGTH - CRLF.length)}${CRLF}`;
}

function putHex(bytes: Buffer, at: number, word: number): void {
  for (let i = 0; i < 8; i += 1) bytes[at + i] = DIGITS[(word >>> (28 - 4 * i)) & 15]!;
}
