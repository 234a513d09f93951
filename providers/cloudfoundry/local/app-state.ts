import type { Metadata, Row } from './state-rows.ts';

export interface TaskRow extends Row {
  readonly appGuid: string;
  /** 1 for an application's first. */
  readonly sequenceId: number;
  readonly name: string;
  readonly command: string;
  readonly memoryMb: number;
  readonly diskMb: number;
  readonly logRate: number;
  readonly dropletGuid: string;
  state: 'RUNNING' | 'CANCELING' | 'SUCCEEDED' | 'FAILED';
  failureReason: string | null;
  metadata: Metadata;
}

/** What an application's parts beside processes and droplets are kept in. */
export interface AppState {
  readonly tasks: Map<string, TaskRow>;
}

export function createAppState(): AppState {
  return { tasks: new Map() };
}
