import { cronSchedule } from './cron-schedule.ts';
import type { Cause } from './errors.ts';
import { at, equal, listAt, textAt } from './json.ts';
import type { KubeObject } from './types.ts';

const ENDING = ['OnFailure', 'Never'];

export function jobCauses(object: KubeObject, before: KubeObject | undefined): Cause[] {
  const causes = templateCauses(at(object, 'spec', 'template'), 'spec.template');
  // What a job runs cannot change: it is deleted and made anew.
  if (before && !equal(at(before, 'spec', 'template', 'spec'), at(object, 'spec', 'template', 'spec'))) {
    causes.push(invalid('spec.template', 'core.PodTemplateSpec{…}: field is immutable'));
  }
  return causes;
}

export function cronJobCauses(object: KubeObject): Cause[] {
  const schedule = textAt(object, 'spec', 'schedule');
  const causes = templateCauses(
    at(object, 'spec', 'jobTemplate', 'spec', 'template'),
    'spec.jobTemplate.spec.template',
  );
  if (!schedule)
    causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.schedule' });
  else {
    const made = cronSchedule(schedule, textAt(object, 'spec', 'timeZone') ?? 'UTC');
    if (!made.ok) causes.push(invalid('spec.schedule', `${JSON.stringify(schedule)}: ${made.fault}`));
  }
  return causes;
}

function templateCauses(template: ReturnType<typeof at>, field: string): Cause[] {
  const causes: Cause[] = [];
  const policy = textAt(template, 'spec', 'restartPolicy') ?? '';
  if (!ENDING.includes(policy)) {
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "OnFailure", "Never"`,
      field: `${field}.spec.restartPolicy`,
    });
  }
  if (listAt(template, 'spec', 'containers').length === 0) {
    causes.push({
      reason: 'FieldValueRequired',
      message: 'Required value',
      field: `${field}.spec.containers`,
    });
  }
  return causes;
}

function invalid(field: string, what: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${what}`, field };
}
