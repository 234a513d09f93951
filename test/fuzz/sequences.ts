import { readBody, readRequest } from '../gateway/http1/reading.ts';
import { readByNode } from './node-parser.ts';

export interface ReadMessage {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly upgrade: string | undefined;
  /** Where it begins and ends among all the bytes. */
  readonly from: number;
  readonly to: number;
}

export interface Sequence {
  readonly messages: readonly ReadMessage[];
  /** Why there are no more: all bytes are read, the next is refused or not whole, or this was the last by its own word. */
  readonly stop: 'end' | 'refused' | 'incomplete' | 'closed';
  /** What was refused: a head from there on, or its body. */
  readonly refused: 'head' | 'body' | undefined;
}

/** The requests our readers find on a connection, one after the other. */
export function readSequence(bytes: Buffer, cuts: readonly number[]): Sequence {
  const messages: ReadMessage[] = [];
  let from = 0;
  while (from < bytes.length) {
    const left = bytes.subarray(from);
    const head = readRequest(left, cuts);
    if (head.outcome === 'incomplete') return { messages, stop: 'incomplete', refused: undefined };
    if (head.outcome !== 'complete') return { messages, stop: 'refused', refused: 'head' };
    const rest = Buffer.from(head.rest ?? '', 'latin1');
    const body = readBody(rest, head.bodyLength ?? 0, cuts);
    if (body.state === 'broken') return { messages, stop: 'refused', refused: 'body' };
    if (body.state === 'reading') return { messages, stop: 'incomplete', refused: undefined };
    const to = bytes.length - body.rest.length;
    const { method = '', target = '', host = '', headers = [], upgrade } = head;
    messages.push({ method, target, host, headers, body: body.body, upgrade, from, to });
    from = to;
    if (head.keepAlive !== true || upgrade !== undefined)
      return { messages, stop: 'closed', refused: undefined };
  }
  return { messages, stop: 'end', refused: undefined };
}

/** As `compare`, for all messages of a connection: Node must find the same ones in the bytes we have accepted. */
export function compareSequence(
  bytes: Buffer,
  cuts: readonly number[],
): { readonly accepted: number; readonly disagreement: string | undefined } {
  const { messages } = readSequence(bytes, cuts);
  const accepted = messages.length;
  const end = messages.at(-1)?.to ?? 0;
  if (accepted === 0) return { accepted, disagreement: undefined };
  const node = readByNode('request', bytes.subarray(0, end));
  // Node reads nothing more once a message asks to switch protocols, whether anybody follows or not.
  if (node.upgrade) return { accepted, disagreement: undefined };
  if (node.error) return { accepted, disagreement: 'we accept a sequence that Node refuses' };
  if (node.messagesRead !== accepted)
    return { accepted, disagreement: `we see ${accepted} messages, Node ${node.messagesRead}` };
  for (const [i, message] of messages.entries()) {
    if (node.bodies[i] !== message.body) {
      const [ours, theirs] = [JSON.stringify(message.body), JSON.stringify(node.bodies[i])];
      return { accepted, disagreement: `message ${i}: we read ${ours}, Node ${theirs}` };
    }
  }
  const fields = messages.flatMap(({ headers }) => headers);
  const same = node.headers.length === fields.length && node.headers.every((text, i) => text === fields[i]);
  return { accepted, disagreement: same ? undefined : 'other fields in the heads' };
}
