/** Counts whole answers in the bytes of one connection, in whatever pieces they come. */
export interface ResponseReader {
  /** How many answers these bytes completed. Throws at an answer that is not 200 or has another length. */
  push(bytes: Buffer): number;
  /** Some bytes of an answer were read, and not all. */
  readonly inside: boolean;
}

/** The cheapest check that still finds a wrong status, a wrong length and broken framing; chunked answers are refused. */
export function responseReader(bodyBytes: number): ResponseReader {
  let head: Buffer = Buffer.alloc(0);
  /** 0 while a head is awaited; bodies are never empty. */
  let bodyLeft = 0;

  return {
    push(bytes) {
      let complete = 0;
      let rest = bytes;
      while (rest.length > 0) {
        if (bodyLeft === 0) {
          head = head.length === 0 ? rest : Buffer.concat([head, rest]);
          const end = head.indexOf('\r\n\r\n');
          if (end < 0) return complete;
          checkHead(head.toString('latin1', 0, end), bodyBytes);
          rest = head.subarray(end + 4);
          head = Buffer.alloc(0);
          bodyLeft = bodyBytes;
        }
        const taken = Math.min(bodyLeft, rest.length);
        bodyLeft -= taken;
        rest = rest.subarray(taken);
        if (bodyLeft === 0) complete++;
      }
      return complete;
    },
    get inside() {
      return head.length > 0 || bodyLeft > 0;
    },
  };
}

function checkHead(head: string, bodyBytes: number): void {
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`answered "${head.slice(0, head.indexOf('\r\n'))}"`);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (Number(length) !== bodyBytes) throw new Error(`content-length ${length} instead of ${bodyBytes}`);
}
