import { isIP } from 'node:net';
import { z } from 'zod';
import { checkedText, choice, decimal, duration, ratio, size, text, whole, yesNo } from './fields.ts';
import { outageSchema } from './outage-schema.ts';

function address(says: string, otherwise: string) {
  return text({ says, otherwise });
}

function port(says: string, otherwise?: number) {
  return whole({ says, ...(otherwise === undefined ? {} : { otherwise }) }, { min: 0, max: 65_535 });
}

const KIBIBYTE = 1024;

/** `10.0.0.0/8`, `::1`. */
function isCidr(given: string): boolean {
  const [ip = '', bits, ...rest] = given.split('/');
  const family = isIP(ip);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

const certificateSchema = z.strictObject({
  cert: text({ says: 'The certificate and those between it and its authority: a PEM file, or PEM text.' }),
  key: text({ says: 'Its private key: a PEM file, or PEM text by a reference.' }),
});

export const gatewaySchema = z
  .strictObject({
    wire: choice({ says: 'Which code moves the bytes.', otherwise: 'fast' }, ['fast', 'compat']).optional(),
    workers: whole({ says: 'Processes that serve requests.', otherwise: 1 }, { min: 1, max: 256 }).optional(),
    listen: z
      .array(
        z.strictObject({
          host: address('Address to listen on.', '0.0.0.0').optional(),
          port: port('Port to listen on; 0 takes a free one.'),
          tls: z
            .array(certificateSchema)
            .min(1)
            .meta({
              description:
                'Certificates, chosen by the name clients ask for; the first one serves all others.',
            })
            .optional(),
          http2: yesNo({
            says: 'With tls: offered to clients, default true. Without: spoken with clients that begin with it (prior knowledge, no browser does), default false.',
          }).optional(),
        }),
      )
      .min(1)
      .meta({ description: 'Where clients reach the gateway. Default: port 8080 on all addresses.' })
      .optional(),
    admin: z
      .strictObject({
        host: address('Address of the admin API. Others than loopback need a token.', '127.0.0.1').optional(),
        port: port('Port of the admin API; 0 takes a free one.', 9901).optional(),
        tokens: z
          .record(
            z.string(),
            z.strictObject({
              token: z
                .string()
                .min(8)
                .meta({ description: 'The bearer token; at least 8 characters, better 32 random ones.' }),
              role: choice({ says: 'What it may do: look, act, or everything.', otherwise: 'read' }, [
                'read',
                'operate',
                'admin',
              ]).optional(),
            }),
          )
          .meta({ description: 'Who may use it, by name. Without tokens it answers on loopback only.' })
          .optional(),
      })
      .meta({ description: 'The admin API.' })
      .optional(),
    limits: z
      .strictObject({
        head: size(
          { says: 'Request line and headers.', otherwise: '16Ki' },
          { min: KIBIBYTE, max: KIBIBYTE ** 2 },
        ).optional(),
        body: size({ says: 'One request body.', otherwise: '1Gi' }).optional(),
        replay: size(
          { says: 'Bodies up to this size are kept and can be sent again.', otherwise: '64Ki' },
          { min: 0, max: 64 * KIBIBYTE ** 2 },
        ).optional(),
        perOrigin: whole(
          { says: 'Requests in flight to one origin, over all workers.', otherwise: 1024 },
          { min: 1, max: 1_000_000 },
        ).optional(),
        queue: whole(
          { says: 'Requests that wait for a place at an origin, over all workers; 0: none.', otherwise: 256 },
          { min: 0, max: 1_000_000 },
        ).optional(),
        target: size(
          { says: 'Path and query of a request; beyond it 414.', otherwise: '8Ki' },
          { min: 256, max: KIBIBYTE ** 2 },
        ).optional(),
        fields: whole(
          { says: 'Header fields of a request; beyond it 431.', otherwise: 100 },
          { min: 8, max: 10_000 },
        ).optional(),
        perAddress: whole(
          {
            says: 'Connections of one client address, over all workers; 0: any number. Trusted proxies are free.',
            otherwise: 0,
          },
          { min: 0, max: 1_000_000 },
        ).optional(),
        perConnection: whole(
          { says: 'Requests on one client connection; 0: any number.', otherwise: 0 },
          { min: 0, max: 1_000_000_000 },
        ).optional(),
        minRate: size(
          {
            says: 'What a request must bring each second, on average, once it is 5 s old; 0B: anything.',
            otherwise: '240B',
          },
          { min: 0, max: KIBIBYTE ** 3 },
        ).optional(),
      })
      .meta({ description: 'How big and how many.' })
      .optional(),
    timeouts: z
      .strictObject({
        connect: duration({ says: 'To connect to an origin.', otherwise: '2s' }, { min: 10 }).optional(),
        head: duration(
          { says: 'From the request sent to the head of the answer.', otherwise: '30s' },
          { min: 10 },
        ).optional(),
        idle: duration({ says: 'No byte either way.', otherwise: '60s' }, { min: 10 }).optional(),
        upstreamKeepAlive: duration(
          { says: 'Idle connections to a platform; shorter than its own limit.', otherwise: '4s' },
          { min: 100 },
        ).optional(),
        clientKeepAlive: duration(
          { says: 'Idle connections of clients.', otherwise: '60s' },
          { min: 100 },
        ).optional(),
        drain: duration({
          says: 'How long requests may finish when the gateway stops.',
          otherwise: '10s',
        }).optional(),
        stopDelay: duration(
          {
            says: 'How long the gateway goes on as before when it is told to stop, with /readyz already at 503, so that whoever stands in front looks elsewhere.',
            otherwise: '100ms',
          },
          { max: 600_000 },
        ).optional(),
        header: duration(
          { says: 'From the first byte of a request to the end of its head.', otherwise: '10s' },
          { min: 10 },
        ).optional(),
        queue: duration(
          { says: 'Waiting for a place at a busy origin.', otherwise: '1s' },
          { min: 0 },
        ).optional(),
        upgrade: duration({
          says: 'Lifetime of an upgraded connection (WebSocket); 0s: any.',
          otherwise: '0s',
        }).optional(),
        dns: duration(
          { says: "How long an origin name's addresses are believed.", otherwise: '30s' },
          { min: 100 },
        ).optional(),
      })
      .meta({ description: 'How long things may take.' })
      .optional(),
    retryBudget: z
      .strictObject({
        ratio: ratio({ says: 'Retries as a part of the requests in flight.', otherwise: '20%' }).optional(),
        min: whole({ says: 'Retries always allowed.', otherwise: 3 }, { min: 0, max: 100_000 }).optional(),
      })
      .meta({ description: 'What keeps retries from becoming a storm.' })
      .optional(),
    stall: z
      .strictObject({
        floor: duration(
          {
            says: 'An origin is suspected after max(floor, p99Factor × p99) without an answer.',
            otherwise: '200ms',
          },
          { min: 10 },
        ).optional(),
        p99Factor: decimal({ says: 'See floor.', otherwise: 4 }, { min: 1, max: 1_000 }).optional(),
        probe: duration(
          { says: 'A probe that takes longer confirms the suspicion.', otherwise: '150ms' },
          { min: 10 },
        ).optional(),
      })
      .meta({ description: 'When an origin that accepts and never answers is given up.' })
      .optional(),
    ejection: z
      .strictObject({
        consecutive: whole({ says: 'Failures in a row.', otherwise: 5 }, { min: 1, max: 10_000 }).optional(),
        failureRatio: ratio({
          says: 'Failed part of at least minRequests in window.',
          otherwise: '50%',
        }).optional(),
        minRequests: whole(
          { says: 'See failureRatio.', otherwise: 20 },
          { min: 1, max: 1_000_000 },
        ).optional(),
        window: duration({ says: 'See failureRatio.', otherwise: '10s' }, { min: 100 }).optional(),
        base: duration(
          { says: 'First ejection; multiplied with each further one.', otherwise: '5s' },
          { min: 10 },
        ).optional(),
        max: duration({ says: 'The longest ejection.', otherwise: '5m' }, { min: 10 }).optional(),
      })
      .meta({ description: 'When a worker stops sending to an origin on its own.' })
      .optional(),
    trustedProxies: z
      .array(
        checkedText({ says: 'An address or network.' }, '^[0-9A-Fa-f:.]+(/\\d+)?$', (given) =>
          isCidr(given)
            ? undefined
            : { fault: 'not an address or network', remedy: 'for example 10.0.0.0/8 or ::1' },
        ),
      )
      .meta({ description: 'Whose X-Forwarded-* headers are believed.' })
      .optional(),
    http2: z
      .strictObject({
        maxConcurrentStreams: whole(
          { says: 'Requests at the same time.', otherwise: 128 },
          { min: 1, max: 65_536 },
        ).optional(),
        resetsPerSecond: whole(
          { says: 'Requests that the client takes back.', otherwise: 50 },
          { min: 1, max: 1_000_000 },
        ).optional(),
        controlFramesPerSecond: whole(
          { says: 'PING, SETTINGS, and empty or CONTINUATION frames.', otherwise: 200 },
          { min: 1, max: 1_000_000 },
        ).optional(),
        headerList: size(
          { says: 'All header fields of a request.', otherwise: '64Ki' },
          { min: KIBIBYTE, max: KIBIBYTE ** 2 },
        ).optional(),
      })
      .meta({ description: 'Limits of one HTTP/2 connection; whoever goes beyond a rate is cut off.' })
      .optional(),
    accessLog: z
      .strictObject({
        format: choice(
          {
            says: 'JSON with everything known of a request, or one line as Apache writes it.',
            otherwise: 'json',
          },
          ['json', 'combined'],
        ).optional(),
        file: text({ says: 'Where to; - is standard output.', otherwise: '-' }).optional(),
      })
      .meta({ description: 'One line for each request. Left out: none.' })
      .optional(),
    outage: outageSchema.optional(),
    affinity: z
      .strictObject({
        key: z.string().min(16).meta({
          description:
            'Signs the cookie; the same on every machine of a fleet. At least 16 characters, better 32 random ones.',
        }),
      })
      .meta({
        description:
          'The cookie of routes with `affinity`. Left out: a random key, made once and kept in the state folder.',
      })
      .optional(),
  })
  .meta({ description: 'The gateway in front.' });

export type GatewayInput = z.output<typeof gatewaySchema>;
