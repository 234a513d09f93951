import { equals } from './octets.ts';

/** Methods of the IANA registry. A proxy that passes on what it does not know cannot tell what it is doing. */
const METHODS: ReadonlySet<string> = new Set(
  (
    'GET HEAD POST PUT DELETE OPTIONS TRACE PATCH ACL BIND CHECKOUT COPY LINK LOCK MERGE MKACTIVITY MKCALENDAR ' +
    'MKCOL MOVE PROPFIND PROPPATCH REBIND REPORT SEARCH UNBIND UNLINK UNLOCK'
  ).split(' '),
);

export function isMethod(text: string): boolean {
  return text === 'GET' || METHODS.has(text);
}

/** The string, without making one for the methods nearly all requests have. */
export function methodOf(bytes: Buffer, from: number, to: number): string {
  if (equals(bytes, from, to, 'GET')) return 'GET';
  if (equals(bytes, from, to, 'POST')) return 'POST';
  return bytes.toString('latin1', from, to);
}
