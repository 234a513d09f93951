import type { Cluster } from '../cluster.ts';
import { invalid, methodNotAllowed } from '../errors.ts';
import { PROCESSED_TEMPLATES } from '../resources.ts';
import { processTemplate } from '../template-processing.ts';
import { decode } from './admission.ts';
import { type Answer, type ApiRequest, ok, readObject, type Target } from './http.ts';

/** Keeps nothing: what comes back is to be created by whoever asked. */
export async function processedTemplates(
  cluster: Cluster,
  request: ApiRequest,
  target: Target,
): Promise<Answer> {
  if (request.method !== 'POST') throw methodNotAllowed();
  const template = decode(target, await readObject(request));
  const processed = processTemplate(template, cluster.random);
  if (processed.state === 'refused')
    throw invalid(PROCESSED_TEMPLATES, template.metadata.name, processed.causes);
  return ok(processed.template, 201);
}
