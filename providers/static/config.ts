import { z } from 'zod';

/** An origin is an address; where requests go below it is the client's business. */
const origin = z
  .url({ protocol: /^https?$/, error: 'must be a URL that begins with http:// or https://' })
  .refine((text) => isBare(text), 'must be an address only: no path, query, fragment or credentials')
  .transform((text) => new URL(text).origin);

/** A platform's block in sluice.yaml, without `provider`. */
export const schema = z.strictObject({
  /** Where the application already runs: `http://10.1.0.5:8080`. */
  origins: z
    .array(origin)
    .min(1, 'name at least one origin')
    .refine((all) => new Set(all).size === all.length, 'names the same origin twice'),
  /** The Host to send there; left out, the client's own is passed on. */
  hostHeader: z.string().min(1).optional(),
  /** PEM text of the authority that signed the certificates of `https://` origins. */
  ca: z.string().optional(),
});

export type Options = z.output<typeof schema>;

function isBare(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const url = new URL(text);
  return (
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  );
}
