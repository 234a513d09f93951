import type { Clock } from '../../../src/core/ports.ts';
import { newRow, type Row } from './state-rows.ts';

/** `null` is without limit. */
export interface Limits {
  totalMemoryMb: number | null;
  perProcessMemoryMb: number | null;
  logRate: number | null;
  totalInstances: number | null;
  perAppTasks: number | null;
  paidServices: boolean;
  totalServiceInstances: number | null;
  totalServiceKeys: number | null;
  totalRoutes: number | null;
  totalReservedPorts: number | null;
  /** Of organizations only. */
  totalDomains: number | null;
}

export interface OrganizationQuotaRow extends Row {
  name: string;
  limits: Limits;
}

export interface SpaceQuotaRow extends Row {
  name: string;
  readonly organizationGuid: string;
  limits: Limits;
}

/** What a foundation hands out before anybody tunes it. */
const USUAL: Partial<Limits> = { totalMemoryMb: 102_400, totalRoutes: 1_000, totalReservedPorts: 100 };

export interface QuotaState {
  /** The first is the default: organizations are born with it. */
  readonly organizationQuotas: Map<string, OrganizationQuotaRow>;
  readonly spaceQuotas: Map<string, SpaceQuotaRow>;
}

export function unlimited(): Limits {
  return {
    totalMemoryMb: null,
    perProcessMemoryMb: null,
    logRate: null,
    totalInstances: null,
    perAppTasks: null,
    paidServices: true,
    totalServiceInstances: null,
    totalServiceKeys: null,
    totalRoutes: null,
    totalReservedPorts: null,
    totalDomains: null,
  };
}

export function createQuotaState(clock: Clock, newId: () => string): QuotaState {
  const limits = { ...unlimited(), ...USUAL };
  const usual: OrganizationQuotaRow = { ...newRow(clock, newId), name: 'default', limits };
  return { organizationQuotas: new Map([[usual.guid, usual]]), spaceQuotas: new Map() };
}
