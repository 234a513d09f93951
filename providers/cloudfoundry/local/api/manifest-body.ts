import { parse } from 'yaml';
import { z } from 'zod';
import { CloudError, unprocessable } from '../errors.ts';

const MIB: Readonly<Record<string, number>> = {
  M: 1,
  MB: 1,
  G: 1_024,
  GB: 1_024,
  T: 1_048_576,
  TB: 1_048_576,
};

const size = z
  .string()
  .regex(/^\d+\s*(M|MB|G|GB|T|TB)$/i, 'must use a supported unit: M, MB, G, GB, T or TB')
  .transform((text) => Number.parseInt(text, 10) * (MIB[text.replace(/[\d\s]/g, '').toUpperCase()] ?? 1));

const processFields = {
  command: z.string().nullish(),
  instances: z.number().int().min(0).optional(),
  memory: size.optional(),
  disk_quota: size.optional(),
  timeout: z.number().int().min(1).optional(),
  'health-check-type': z.enum(['port', 'http', 'process', 'none']).optional(),
  'health-check-http-endpoint': z.string().optional(),
  'health-check-invocation-timeout': z.number().int().min(1).optional(),
  'health-check-interval': z.number().int().min(1).optional(),
  'readiness-health-check-type': z.enum(['port', 'http', 'process']).optional(),
  'readiness-health-check-http-endpoint': z.string().optional(),
};

const application = z.strictObject({
  name: z.string().min(1),
  ...processFields,
  // What a manifest says may be a number or a boolean; the environment knows only text.
  env: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).optional(),
  buildpack: z.string().optional(),
  buildpacks: z.array(z.string()).optional(),
  stack: z.string().optional(),
  path: z.string().optional(),
  routes: z.array(z.looseObject({ route: z.string() })).optional(),
  'default-route': z.boolean().optional(),
  'no-route': z.boolean().optional(),
  'random-route': z.boolean().optional(),
  processes: z.array(z.strictObject({ type: z.string(), ...processFields })).optional(),
  services: z
    .array(
      z.union([
        z.string().transform((name) => ({ name })),
        z.strictObject({
          name: z.string(),
          binding_name: z.string().optional(),
          parameters: z.record(z.string(), z.unknown()).optional(),
        }),
      ]),
    )
    .optional(),
  sidecars: z.array(z.looseObject({ name: z.string() })).optional(),
  metadata: z.looseObject({}).optional(),
});

const manifest = z.strictObject({
  version: z.number().optional(),
  applications: z.array(application).min(1),
});

export type ManifestApplication = z.infer<typeof application>;
export type ManifestService = NonNullable<ManifestApplication['services']>[number];
export type ManifestProcess = NonNullable<ManifestApplication['processes']>[number];

/** What is not understood is refused: half an applied manifest is worse than none. */
export function parseManifest(text: string): readonly ManifestApplication[] {
  let document: unknown;
  try {
    document = parse(text);
  } catch {
    throw new CloudError(
      400,
      1001,
      'CF-MessageParseError',
      'Request invalid due to parse error: invalid request body',
    );
  }
  const result = manifest.safeParse(document);
  if (result.success) return result.data.applications;
  const complaints = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw unprocessable(complaints.join(', '));
}

/** The application's own fields mean its web process, unless it lists one. */
export function manifestProcesses(application: ManifestApplication): readonly ManifestProcess[] {
  const listed = application.processes ?? [];
  if (listed.some((process) => process.type === 'web')) return listed;
  const web: Record<string, unknown> = { type: 'web' };
  for (const [key, value] of Object.entries(application)) if (key in processFields) web[key] = value;
  return [web as ManifestProcess, ...listed];
}
