import { z } from 'zod';
import { text, yesNo } from './fields.ts';

/** `platforms.NAME.upstream`, the same for every kind of platform: the gateway's side of TLS to its origins. */
export const upstreamSchema = z
  .strictObject({
    clientCert: text({
      says: 'A certificate for origins that ask for one: a PEM file, or PEM text.',
    }).optional(),
    clientKey: text({ says: 'Its private key: a PEM file, or PEM text by a reference.' }).optional(),
    insecureSkipVerify: yesNo({
      says: 'Take any certificate from the origins. Warned of at every start; `ca` is what you want.',
      otherwise: false,
    }).optional(),
  })
  .refine((given) => (given.clientCert === undefined) === (given.clientKey === undefined), {
    message: 'one of clientCert and clientKey is missing',
    params: { remedy: 'give both' },
  })
  .meta({ description: 'How the gateway speaks TLS to the origins of this platform.' });
