import { createRequire } from 'node:module';

/** The part of Node's own parser we compare with. It is an internal module: nothing outside the tests may use it. */
interface NodeParser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void;
  execute(bytes: Buffer): number | Error;
  finish(): unknown;
  [callback: number]: unknown;
}

interface NodeParserClass {
  new (): NodeParser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser } = createRequire(import.meta.url)('_http_common') as { HTTPParser: NodeParserClass };

export interface NodeReading {
  readonly error: boolean;
  readonly headsRead: number;
  readonly messagesRead: number;
  readonly url: string;
  readonly status: number;
  readonly headers: readonly string[];
  /** Of all messages together, and of each that is whole; trailers are among the headers of none. */
  readonly body: string;
  readonly bodies: readonly string[];
  readonly upgrade: boolean;
}

/** What Node's strict parser makes of these bytes, and nothing else. */
export function readByNode(kind: 'request' | 'response', bytes: Buffer): NodeReading {
  const parser = new HTTPParser();
  parser.initialize(kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, 1 << 20, 0);
  let headers: string[] = [];
  let url = '';
  let status = 0;
  let body = '';
  let present = '';
  const bodies: string[] = [];
  let inBody = false;
  let headsRead = 0;
  let messagesRead = 0;
  let upgrade = false;
  parser[HTTPParser.kOnHeaders | 0] = (more: string[], target: string) => {
    // Node hands trailers over in the same way as fields that do not fit.
    if (inBody) return;
    headers = [...headers, ...more];
    url += target;
  };
  parser[HTTPParser.kOnHeadersComplete | 0] = (
    _major: number,
    _minor: number,
    rest: string[] | undefined,
    _method: number,
    target: string | undefined,
    code: number,
    _reason: string,
    switches: boolean,
  ) => {
    headsRead += 1;
    inBody = true;
    present = '';
    headers = [...headers, ...(rest ?? [])];
    url += target ?? '';
    status = code;
    upgrade = switches;
    return 0;
  };
  parser[HTTPParser.kOnBody | 0] = (chunk: Buffer) => {
    body += chunk.toString('latin1');
    present += chunk.toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete | 0] = () => {
    messagesRead += 1;
    inBody = false;
    bodies.push(present);
  };
  const result = parser.execute(Buffer.from(bytes));
  return {
    error: result instanceof Error,
    headsRead,
    messagesRead,
    url,
    status,
    headers,
    body,
    bodies,
    upgrade,
  };
}
