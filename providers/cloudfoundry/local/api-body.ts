import { z } from 'zod';
import { type CloudError, type CloudErrorEntry, unprocessable } from './errors.ts';
import type { Metadata } from './state-rows.ts';

/** Decodes a request body or throws the 422 the Cloud Controller would. */
export function decode<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  throw unprocessable(result.error.issues.map(complaint).join(', '));
}

/** `Unknown field(s): 'color'`, `Name can't be blank`, `Relationships is not an object`. */
function complaint(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const fields = issue.keys.map((key) => `'${key}'`).join(', ');
    return path === '' ? `Unknown field(s): ${fields}` : `${sentence(path)} Unknown field(s): ${fields}`;
  }
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return `${sentence(path)} can't be blank`;
  }
  if (issue.code === 'invalid_type') return `${sentence(path)} must be a ${issue.expected}`;
  return `${sentence(path)} ${issue.message}`;
}

function sentence(path: string): string {
  const words = path.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `{"data":{"guid":"…"}}`. */
export const toOne = z.strictObject({ data: z.strictObject({ guid: z.string() }) });

const metadataValues = z.record(z.string(), z.string().nullable());

export const metadataBody = z.strictObject({
  labels: metadataValues.optional(),
  annotations: metadataValues.optional(),
});

const LABEL_KEY = /^([a-zA-Z0-9.-]+\/)?[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?$/;
const LABEL_VALUE = /^([a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?)?$/;
const LONGEST_LABEL = 63;
const LONGEST_ANNOTATION = 5_000;

/** Merges what was sent into what is there; `null` removes. Labels must fit a selector, annotations need not. */
export function mergeMetadata(metadata: Metadata, sent: z.infer<typeof metadataBody> | undefined): void {
  if (!sent) return;
  const complaints: string[] = [];
  for (const [key, value] of Object.entries(sent.labels ?? {})) {
    const name = key.slice(key.indexOf('/') + 1);
    if (!LABEL_KEY.test(key) || name.length > LONGEST_LABEL)
      complaints.push(`Metadata label key error: '${key}' contains invalid characters`);
    else if (value !== null && (!LABEL_VALUE.test(value) || value.length > LONGEST_LABEL)) {
      complaints.push(
        `Metadata label value error: '${value}' is greater than 63 characters or contains invalid characters`,
      );
    }
  }
  for (const [key, value] of Object.entries(sent.annotations ?? {})) {
    if (value !== null && value.length > LONGEST_ANNOTATION) {
      complaints.push(
        `Metadata annotation value error: the value of '${key}' is greater than 5000 characters`,
      );
    }
  }
  if (complaints.length > 0) throw unprocessable(complaints.join(', '));
  metadata.labels = merged(metadata.labels, sent.labels);
  metadata.annotations = merged(metadata.annotations, sent.annotations);
}

function merged(
  before: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>> | undefined,
): Record<string, string> {
  const after: Record<string, string> = {};
  for (const [key, value] of Object.entries({ ...before, ...changes })) {
    if (value !== null) after[key] = value;
  }
  return after;
}

export function errorBody(error: CloudError): { errors: readonly CloudErrorEntry[] } {
  return { errors: error.errors };
}
