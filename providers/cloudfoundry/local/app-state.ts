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

export interface RevisionRow extends Row {
  readonly appGuid: string;
  /** 1 for an application's first. */
  readonly version: number;
  readonly dropletGuid: string;
  readonly env: Readonly<Record<string, string>>;
  /** By type of process; `null` where the droplet's own is run. */
  readonly commands: Readonly<Record<string, string | null>>;
  readonly description: string;
  metadata: Metadata;
}

export interface SidecarRow extends Row {
  readonly appGuid: string;
  name: string;
  command: string;
  processTypes: readonly string[];
  memoryMb: number | null;
}

/** What an application's parts beside processes and droplets are kept in. */
export interface AppState {
  readonly tasks: Map<string, TaskRow>;
  /** In the order of their versions. */
  readonly revisions: Map<string, RevisionRow>;
  readonly sidecars: Map<string, SidecarRow>;
}

export function createAppState(): AppState {
  return { tasks: new Map(), revisions: new Map(), sidecars: new Map() };
}
