import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Json } from '../foundation.ts';

const FOLDER = join(process.cwd(), '..', 'shared', 'contracts', 'cloudfoundry');

/** The documentation and the recordings are not part of this repository. */
export const documentsPresent = existsSync(join(FOLDER, 'examples', 'INDEX.json'));

/** Why the contract tests skip; throws where skipping is not allowed. */
export function whyAbsent(): string {
  const why = `no documented examples in ${FOLDER}`;
  if (process.env['SLUICE_REQUIRE_SERVERS'] === '1') throw new Error(`SLUICE_REQUIRE_SERVERS=1, but ${why}`);
  return why;
}

const pageSchema = z.object({
  definition: z.string().nullish(),
  responses: z.array(z.object({ status: z.number(), body: z.unknown().optional() })).default([]),
});

export type Page = z.infer<typeof pageSchema>;

/** One page of the API's documentation: `apps.create`. */
export function page(name: string): Page {
  return pageSchema.parse(JSON.parse(readFileSync(join(FOLDER, 'examples', `${name}.json`), 'utf8')));
}

/** The pages that describe a request, by name. */
export function documentedOperations(): ReadonlyMap<string, string> {
  const index = z
    .array(z.object({ file: z.string(), definition: z.string().nullable() }))
    .parse(JSON.parse(readFileSync(join(FOLDER, 'examples', 'INDEX.json'), 'utf8')));
  const operations = new Map<string, string>();
  for (const { file, definition } of index) {
    if (definition !== null) operations.set(file.replace(/\.json$/, ''), definition);
  }
  return operations;
}

export function openApi(): Json {
  return JSON.parse(readFileSync(join(FOLDER, 'openapi-3.228.0.json'), 'utf8'));
}

/** What the real client was seen to send, by file. */
export function traces(): ReadonlyMap<string, string> {
  const files = readdirSync(join(FOLDER, 'traces')).filter((name) => name.endsWith('.log'));
  return new Map(files.map((name) => [name, readFileSync(join(FOLDER, 'traces', name), 'utf8')]));
}
