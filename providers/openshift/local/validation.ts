import { type Cause, invalid } from './errors.ts';
import { cronJobCauses, jobCauses } from './job-validation.ts';
import { at, equal, isObject, type Json, type JsonObject, listAt, objectAt, textAt } from './json.ts';
import { claimCauses } from './pod-volumes.ts';
import {
  BUILD_CONFIGS,
  CRON_JOBS,
  DEPLOYMENTS,
  isKind,
  JOBS,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  type ResourceType,
  ROUTES,
  SERVICES,
} from './resources.ts';
import type { KubeObject } from './types.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/** Throws 422 with one cause a fault, all of them at once. */
export function validate(type: ResourceType, object: KubeObject, before: KubeObject | undefined): void {
  const causes: Cause[] = [];
  const { name } = object.metadata;
  const nameRule = type.plural === NAMESPACES.plural || type.plural === SERVICES.plural ? LABEL : SUBDOMAIN;
  if (!nameRule.test(name)) {
    causes.push(bad('metadata.name', name, nameRule === LABEL ? LABEL_RULE : SUBDOMAIN_RULE));
  }
  if (type.plural === DEPLOYMENTS.plural) validateDeployment(object, before, causes);
  else if (type.plural === SERVICES.plural) validateService(object, causes);
  else if (type.plural === ROUTES.plural) validateRoute(object, causes);
  else if (isKind(type, JOBS)) causes.push(...jobCauses(object, before));
  else if (isKind(type, CRON_JOBS)) causes.push(...cronJobCauses(object));
  else if (isKind(type, PERSISTENT_VOLUME_CLAIMS)) causes.push(...claimCauses(object, before));
  else if (type.plural === BUILD_CONFIGS.plural) validateBuildConfig(object, causes);
  if (causes.length > 0) throw invalid(type, name, causes);
}

function bad(field: string, value: Json | undefined, rule: string): Cause {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${shown}: ${rule}`, field };
}

function required(field: string, what = ''): Cause {
  return { reason: 'FieldValueRequired', message: `Required value${what === '' ? '' : `: ${what}`}`, field };
}

function goMap(labels: JsonObject): string {
  const pairs = Object.entries(labels).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
  return `map[string]string{${pairs.join(', ')}}`;
}

function validateDeployment(object: KubeObject, before: KubeObject | undefined, causes: Cause[]): void {
  const wanted = objectAt(object, 'spec', 'selector', 'matchLabels');
  const labels = objectAt(object, 'spec', 'template', 'metadata', 'labels');
  if (!isObject(at(object, 'spec', 'selector'))) causes.push(required('spec.selector'));
  else if (Object.entries(wanted).some(([key, value]) => labels[key] !== value)) {
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${goMap(labels)}: \`selector\` does not match template \`labels\``,
      field: 'spec.template.metadata.labels',
    });
  }
  const replicas = at(object, 'spec', 'replicas');
  if (typeof replicas === 'number' && replicas < 0) {
    causes.push(bad('spec.replicas', replicas, 'must be greater than or equal to 0'));
  }
  const containers = listAt(object, 'spec', 'template', 'spec', 'containers');
  if (containers.length === 0) causes.push(required('spec.template.spec.containers'));
  for (const [index, container] of containers.entries()) {
    const field = `spec.template.spec.containers[${index}]`;
    if (!textAt(container, 'name')) causes.push(required(`${field}.name`));
    if (!textAt(container, 'image')) causes.push(required(`${field}.image`));
    validateProbe(container, 'readinessProbe', field, causes);
    validateProbe(container, 'livenessProbe', field, causes);
    for (const [portIndex, port] of listAt(container, 'ports').entries()) {
      const number = at(port, 'containerPort');
      if (typeof number !== 'number') causes.push(required(`${field}.ports[${portIndex}].containerPort`));
      else if (number < 1 || number > 65535) {
        causes.push(
          bad(`${field}.ports[${portIndex}].containerPort`, number, 'must be between 1 and 65535, inclusive'),
        );
      }
    }
  }
  if (before && !equal(at(before, 'spec', 'selector'), at(object, 'spec', 'selector'))) {
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: v1.LabelSelector{MatchLabels:${goMap(wanted)}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable`,
      field: 'spec.selector',
    });
  }
}

function validateProbe(container: Json, name: string, field: string, causes: Cause[]): void {
  const probe = at(container, name);
  if (!isObject(probe)) return;
  if (!['httpGet', 'tcpSocket', 'exec', 'grpc'].some((kind) => isObject(probe[kind]))) {
    causes.push(required(`${field}.${name}`, 'must specify a handler type'));
  }
}

function validateService(object: KubeObject, causes: Cause[]): void {
  const ports = listAt(object, 'spec', 'ports');
  if (ports.length === 0 && at(object, 'spec', 'clusterIP') !== 'None') causes.push(required('spec.ports'));
  for (const [index, port] of ports.entries()) {
    if (ports.length > 1 && !textAt(port, 'name')) causes.push(required(`spec.ports[${index}].name`));
    const number = at(port, 'port');
    if (typeof number !== 'number' || number < 1 || number > 65535) {
      causes.push(bad(`spec.ports[${index}].port`, number, 'must be between 1 and 65535, inclusive'));
    }
  }
}

function validateRoute(object: KubeObject, causes: Cause[]): void {
  const host = textAt(object, 'spec', 'host') ?? '';
  if (host !== '' && !SUBDOMAIN.test(host)) {
    causes.push(bad('spec.host', host, 'host must conform to DNS 952 subdomain conventions'));
    if (host.split('.').some((label) => !LABEL.test(label))) causes.push(bad('spec.host', host, LABEL_RULE));
  }
  const path = textAt(object, 'spec', 'path') ?? '';
  if (path !== '' && !path.startsWith('/')) causes.push(bad('spec.path', path, "path must begin with '/'"));
  if (path !== '' && textAt(object, 'spec', 'tls', 'termination') === 'passthrough') {
    causes.push(bad('spec.path', path, 'passthrough termination does not support paths'));
  }
  if (!textAt(object, 'spec', 'to', 'name')) causes.push(required('spec.to.name'));
  const others = listAt(object, 'spec', 'alternateBackends');
  if (others.length > 3) {
    causes.push(required('spec.alternateBackends', 'cannot specify more than 3 alternate backends'));
  }
  weight(at(object, 'spec', 'to', 'weight'), 'spec.to.weight', causes);
  for (const [index, other] of others.entries()) {
    weight(at(other, 'weight'), `spec.alternateBackends[${index}].weight`, causes);
  }
}

function weight(value: Json | undefined, field: string, causes: Cause[]): void {
  if (
    value === undefined ||
    (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 256)
  )
    return;
  causes.push(bad(field, value, 'weight must be an integer between 0 and 256'));
}

function validateBuildConfig(object: KubeObject, causes: Cause[]): void {
  const strategy = objectAt(object, 'spec', 'strategy');
  const kinds = ['sourceStrategy', 'customStrategy', 'dockerStrategy', 'jenkinsPipelineStrategy'];
  if (kinds.filter((kind) => isObject(strategy[kind])).length === 1) return;
  // Go prints the whole structure; with none or several set it is told as it would be with none.
  causes.push({
    reason: 'FieldValueInvalid',
    message:
      'Invalid value: build.BuildStrategy{DockerStrategy:(*build.DockerBuildStrategy)(nil), SourceStrategy:(*build.SourceBuildStrategy)(nil), CustomStrategy:(*build.CustomBuildStrategy)(nil), JenkinsPipelineStrategy:(*build.JenkinsPipelineBuildStrategy)(nil)}: must provide a value for exactly one of sourceStrategy, customStrategy, dockerStrategy, or jenkinsPipelineStrategy',
    field: 'spec.strategy',
  });
}
