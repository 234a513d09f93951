import { type Cause, invalid } from './errors.ts';
import { at, isObject, listAt, textAt } from './json.ts';
import type { ResourceType } from './resources.ts';
import type { KubeObject } from './types.ts';

/** What the Route's custom resource definition checks: the same rules as the aggregated server's, in a schema's words. */
export function validateCustomRoute(type: ResourceType, object: KubeObject): void {
  const causes: Cause[] = [];
  const weights: [string, unknown][] = [
    ['spec.to.weight', at(object, 'spec', 'to', 'weight')],
    ...listAt(object, 'spec', 'alternateBackends').map((other, index): [string, unknown] => [
      `spec.alternateBackends[${index}].weight`,
      at(other, 'weight'),
    ]),
  ];
  for (const [field, weight] of weights) {
    if (typeof weight !== 'number') continue;
    const bound = weight > 256 ? 'less than or equal to 256' : weight < 0 ? 'greater than or equal to 0' : '';
    if (bound !== '') {
      causes.push(bad(field, String(weight), `${field} in body should be ${bound}`));
    }
  }
  const others = listAt(object, 'spec', 'alternateBackends').length;
  if (others > 3) {
    causes.push({
      reason: 'FieldValueTooMany',
      message: `Too many: ${others}: must have at most 3 items`,
      field: 'spec.alternateBackends',
    });
    causes.push(
      bad(
        '<nil>',
        '"null"',
        'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
      ),
    );
  } else causes.push(...ruleCauses(object));
  if (causes.length > 0) throw invalid(type, object.metadata.name, causes);
}

/** The rules in CEL, which are asked only of an object the schema accepts. */
function ruleCauses(object: KubeObject): Cause[] {
  const tls = at(object, 'spec', 'tls');
  if (!isObject(tls)) return [];
  const termination = textAt(tls, 'termination');
  const insecure = textAt(tls, 'insecureEdgeTerminationPolicy');
  const causes: Cause[] = [];
  if (termination === 'passthrough' && insecure === 'Allow') {
    causes.push(
      bad(
        'spec.tls',
        '"object"',
        'cannot have both spec.tls.termination: passthrough and spec.tls.insecureEdgeTerminationPolicy: Allow',
      ),
    );
  }
  if (termination === 'passthrough' && textAt(object, 'spec', 'path')) {
    causes.push(bad('spec', '"object"', 'passthrough termination does not support paths'));
  }
  return causes;
}

function bad(field: string, shown: string, rule: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${shown}: ${rule}`, field };
}
