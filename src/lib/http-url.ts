import { z } from 'zod';

/** Where a platform answers. Addresses are printed and stored, so they must not carry what is secret. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be a URL that begins with http:// or https://' })
  .refine((url) => !/^https?:\/\/[^/]*@/.test(url), 'must not contain a user or password: use `credentials`');
