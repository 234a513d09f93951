/** One request the real client was seen to send. */
export interface TracedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  /** The recording server had no answer of its own to it: its status means nothing. */
  readonly unanswered: boolean;
  readonly contentType: string | undefined;
  readonly body: string | undefined;
}

/** What one invocation of the client sent: `cf push --strategy rolling`. */
export interface TracedCommand {
  readonly command: string;
  readonly requests: readonly TracedRequest[];
}

const REQUEST = /^([A-Z]+) (\/\S*) -> (\d{3})(.*)$/;
const BODY = /^ {4}([a-z]+\/[\w.+-]+): (.*)$/;

/** Reads a recording: `#### command`, requests, and indented below a request what it carried. */
export function parseTrace(text: string): readonly TracedCommand[] {
  const commands: { command: string; requests: TracedRequest[] }[] = [];
  let carried: string[] | undefined;
  for (const line of text.split('\n')) {
    const requests = commands.at(-1)?.requests;
    const request = REQUEST.exec(line);
    const body = BODY.exec(line);
    if (line.startsWith('#### ')) commands.push({ command: line.slice(5), requests: [] });
    else if (request && requests) {
      requests.push({
        method: request[1] ?? '',
        path: request[2] ?? '',
        status: Number(request[3]),
        unanswered: (request[4] ?? '').includes('UNMATCHED'),
        contentType: undefined,
        body: undefined,
      });
    } else if (body && requests) {
      const last = requests.pop();
      carried = [body[2] ?? ''];
      if (last) requests.push({ ...last, contentType: body[1], body: carried.join('\n') });
    } else if (carried && line !== '' && requests) {
      const last = requests.pop();
      carried.push(line);
      if (last) requests.push({ ...last, body: carried.join('\n') });
    }
    if (line === '' || line.startsWith('#### ') || request) carried = undefined;
  }
  return commands;
}
