import { type ApiRoute, ok } from '../api-types.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError } from '../errors.ts';
import type { LogEnvelope } from '../logs.ts';

const DEFAULT_LIMIT = 100;
const MOST = 1_000;
const QUERY = ['start_time', 'end_time', 'limit', 'descending', 'envelope_types', 'name_filter'];

/** log-cache's read API: protobuf's JSON, so 64-bit numbers are strings and bytes are base64. */
export function logCacheRoutes(cloud: Cloud): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      pattern: '/api/v1/info',
      open: true,
      handler: () =>
        ok({ version: '3.0.12', vm_uptime: String(Math.floor(cloud.clock.monotonic() / 1_000)) }),
    },
    {
      method: 'GET',
      pattern: '/api/v1/meta',
      handler() {
        const meta: Record<string, object> = {};
        for (const [guid, { count, oldest, newest }] of Object.entries(cloud.logs.meta())) {
          meta[guid] = {
            count: String(count),
            expired: '0',
            oldest_timestamp: String(oldest),
            newest_timestamp: String(newest),
          };
        }
        return ok({ meta });
      },
    },
    {
      method: 'GET',
      pattern: '/api/v1/read/:guid',
      query: QUERY,
      handler({ params, query }) {
        const types = query.getAll('envelope_types');
        const start = nanoseconds(query.get('start_time'), 0n);
        const end = nanoseconds(query.get('end_time'), BigInt(Number.MAX_SAFE_INTEGER) * 1_000n);
        const limit = Math.min(MOST, Number(query.get('limit') ?? DEFAULT_LIMIT) || DEFAULT_LIMIT);
        const wantsLogs = types.length === 0 || types.some((type) => type === 'LOG' || type === 'ANY');
        const lines = wantsLogs ? cloud.logs.read(params['guid'] ?? '', start, end) : [];
        const batch =
          query.get('descending') === 'true' ? lines.slice(-limit).reverse() : lines.slice(0, limit);
        return ok({ envelopes: { batch: batch.map((line) => present(cloud, line)) } });
      },
    },
  ];
}

/** The real client's first start time is a huge negative number. */
function nanoseconds(text: string | null, otherwise: bigint): bigint {
  if (text === null || text === '') return otherwise;
  if (!/^-?\d+$/.test(text)) throw new CloudError(400, 10005, 'CF-BadQueryParameter', 'invalid time');
  return BigInt(text);
}

function present({ state }: Cloud, line: LogEnvelope): object {
  const app = state.apps.get(line.appGuid);
  const space = state.spaces.get(app?.spaceGuid ?? '');
  const organization = state.organizations.get(space?.organizationGuid ?? '');
  return {
    timestamp: String(line.timestampNs),
    source_id: line.appGuid,
    instance_id: line.instance,
    deprecated_tags: {},
    tags: {
      source_type: line.sourceType,
      app_id: line.appGuid,
      app_name: app?.name ?? '',
      space_id: space?.guid ?? '',
      space_name: space?.name ?? '',
      organization_id: organization?.guid ?? '',
      organization_name: organization?.name ?? '',
      instance_id: line.instance,
      ...(line.process ? { process_id: line.process.guid, process_type: line.process.type } : {}),
      origin: 'rep',
    },
    log: { payload: Buffer.from(line.text).toString('base64'), type: line.stream },
  };
}
