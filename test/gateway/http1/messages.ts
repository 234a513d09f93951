/** One message as it is meant, however it was framed. */
export interface SeenMessage {
  readonly start: string;
  /** Lower-case names, in lexical order. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

interface Decoded {
  readonly body: string;
  readonly trailers: readonly string[];
  readonly end: number;
}

/** The whole messages in a stream of bytes. `isBodyless` is asked for each with its start line and its place. */
export function messagesIn(
  text: string,
  isBodyless: (start: string, index: number) => boolean,
): { readonly messages: readonly SeenMessage[]; readonly rest: string } {
  const messages: SeenMessage[] = [];
  let at = 0;
  for (;;) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd < 0) break;
    const [start = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const fields = normal(lines);
    const decoded = isBodyless(start, messages.length)
      ? { body: '', trailers: [], end: headEnd + 4 }
      : bodyAt(text, headEnd + 4, fields);
    if (decoded === undefined) break;
    messages.push({ start, fields, body: decoded.body, trailers: decoded.trailers });
    at = decoded.end;
  }
  return { messages, rest: text.slice(at) };
}

/** Undefined as long as it is not whole. */
function bodyAt(text: string, from: number, fields: readonly string[]): Decoded | undefined {
  if (fields.includes('transfer-encoding: chunked')) return chunksAt(text, from);
  const length = Number(fields.find((field) => field.startsWith('content-length: '))?.slice(16) ?? 0);
  if (text.length < from + length) return undefined;
  return { body: text.slice(from, from + length), trailers: [], end: from + length };
}

function chunksAt(text: string, from: number): Decoded | undefined {
  let body = '';
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', lineEnd);
      if (end < 0) return undefined;
      const trailers = end === lineEnd ? [] : normal(text.slice(lineEnd + 2, end).split('\r\n'));
      return { body, trailers, end: end + 4 };
    }
    if (text.length < lineEnd + 2 + size + 2) return undefined;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}

/** Without what is different each time. */
function normal(lines: readonly string[]): string[] {
  return lines
    .map((line) => `${line.slice(0, line.indexOf(':')).toLowerCase()}${line.slice(line.indexOf(':'))}`)
    .filter((line) => !/^(x-request-id|traceparent|date|x-forwarded-port):/.test(line))
    .sort();
}
