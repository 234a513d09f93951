import { readBody, readRequest, readResponse } from '../gateway/http1/reading.ts';
import { type NodeReading, readByNode } from './node-parser.ts';

/** How one message came out; `disagreement` says in words what may not be. */
export interface Comparison {
  readonly ours: 'refused' | 'incomplete' | 'complete';
  readonly nodeAccepts: boolean;
  readonly disagreement: string | undefined;
}

/**
 * Reads a message with our reader and with Node's. What we accept Node must accept too, with the same fields and the
 * same content, ending at the same byte: fed up to our end it must have one whole message, and one byte earlier none.
 */
export function compare(kind: 'request' | 'response', bytes: Buffer, cuts: readonly number[]): Comparison {
  const node = readByNode(kind, bytes);
  const nodeAccepts = node.headsRead > 0;
  const head = kind === 'request' ? readRequest(bytes, cuts) : readResponse(bytes, cuts);
  if (head.outcome === 'incomplete') return { ours: 'incomplete', nodeAccepts, disagreement: undefined };
  if (head.outcome !== 'complete') return { ours: 'refused', nodeAccepts, disagreement: undefined };

  const rest = Buffer.from(head.rest ?? '', 'latin1');
  const headEnd = bytes.length - rest.length;
  const body = readBody(rest, head.bodyLength ?? 0, cuts);
  if (body.state === 'broken') return { ours: 'refused', nodeAccepts, disagreement: undefined };
  const end = bytes.length - body.rest.length;
  const complete = body.state === 'complete';
  const disagreement =
    compareHeads(head.headers ?? [], readByNode(kind, bytes.subarray(0, headEnd))) ??
    compareBodies(kind, bytes, headEnd, end, complete, body.body);
  return { ours: complete ? 'complete' : 'incomplete', nodeAccepts, disagreement };
}

function compareHeads(ours: readonly string[], node: NodeReading): string | undefined {
  if (node.error) return 'we accept a head that Node refuses';
  if (node.headsRead !== 1) return `we see one head, Node ${node.headsRead}`;
  if (ours.length !== node.headers.length)
    return `we see ${ours.length / 2} fields, Node ${node.headers.length / 2}`;
  for (const [i, text] of ours.entries()) {
    if (text !== node.headers[i])
      return `we read ${JSON.stringify(text)}, Node ${JSON.stringify(node.headers[i])}`;
  }
  return undefined;
}

function compareBodies(
  kind: 'request' | 'response',
  bytes: Buffer,
  headEnd: number,
  end: number,
  complete: boolean,
  content: string,
): string | undefined {
  const node = readByNode(kind, bytes.subarray(0, end));
  // Node reads nothing more once a message asks to switch protocols.
  if (node.upgrade) return undefined;
  // Of a line that has not ended we have said nothing yet.
  if (node.error) return complete ? 'we accept a body that Node refuses' : undefined;
  if (node.body !== content) return `we read ${JSON.stringify(content)}, Node ${JSON.stringify(node.body)}`;
  if (node.messagesRead !== (complete ? 1 : 0))
    return `Node has read ${node.messagesRead} messages where ours ends`;
  if (!complete || end === headEnd) return undefined;
  const before = readByNode(kind, bytes.subarray(0, end - 1));
  return before.messagesRead === 0 ? undefined : 'Node ends a byte earlier';
}
