import type { TargetSettings } from '../core/settings.ts';

export type OwnProcess = Pick<TargetSettings, 'command' | 'memoryBytes'>;

/** What runs differently on one platform. */
export function ownProcess({ command, memoryBytes }: OwnProcess): OwnProcess {
  return {
    ...(command === undefined ? {} : { command }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}
