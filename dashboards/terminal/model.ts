import type { LoggedEvent } from '../../src/core/events.ts';
import type { ApplicationStatus, Explanation, PlatformStatus, StatusView } from '../../src/core/status.ts';

/** All that the dashboard knows. Replaced by `update`, drawn by `view`. */
export interface Model {
  /** `sluice top`, or what the demo calls itself. */
  readonly title: string;
  /** The server's address. */
  readonly where: string;
  /** Epoch milliseconds of this machine. */
  readonly now: number;
  readonly data: Data;
  /** While paused: what is shown, and since when. */
  readonly frozen: { readonly data: Data; readonly since: number } | undefined;
  readonly link: Link;
  readonly selected: Selection | undefined;
  readonly page: Page;
  /** What is being broken, for who watches the demo. */
  readonly banner: string | undefined;
  /** What the demo says, newest last. */
  readonly notes: readonly string[];
}

export interface Data {
  readonly status: StatusView | undefined;
  /** When it came, by this machine's clock. */
  readonly receivedAt: number | undefined;
  /** Telling events that came by themselves after the status was taken. */
  readonly since: readonly LoggedEvent[];
  readonly rates: RateHistory;
  readonly deployment: DeploymentUnderWay | undefined;
}

export interface RateHistory {
  readonly sampledAt: number;
  /** Requests per second, oldest first, by `rateKey`. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

export interface DeploymentUnderWay {
  readonly id: string;
  readonly label: string;
  /** Newest phase by platform. */
  readonly phases: Readonly<Record<string, string>>;
}

export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'up' }
  | { readonly state: 'lost'; readonly since: number; readonly why: string };

export interface Selection {
  readonly application: string;
  readonly platform: string;
}

export type Page =
  | { readonly kind: 'none' }
  | { readonly kind: 'help' }
  | {
      readonly kind: 'explain';
      readonly application: string;
      readonly scroll: number;
      readonly answer:
        | { readonly state: 'asked' }
        | { readonly state: 'there'; readonly explanation: Explanation }
        | { readonly state: 'failed'; readonly why: string };
    };

export function initialModel(title: string, where: string, now: number): Model {
  return {
    title,
    where,
    now,
    data: {
      status: undefined,
      receivedAt: undefined,
      since: [],
      rates: { sampledAt: 0, samples: {} },
      deployment: undefined,
    },
    frozen: undefined,
    link: { state: 'connecting' },
    selected: undefined,
    page: { kind: 'none' },
    banner: undefined,
    notes: [],
  };
}

export interface PlatformRow {
  readonly application: ApplicationStatus;
  readonly platform: PlatformStatus;
}

export function rowsOf(status: StatusView | undefined): readonly PlatformRow[] {
  return (status?.applications ?? []).flatMap((application) =>
    application.platforms.map((platform) => ({ application, platform })),
  );
}

export function isSelected(row: PlatformRow, selected: Selection | undefined): boolean {
  return row.application.name === selected?.application && row.platform.name === selected.platform;
}

export function rateKey(application: string, platform: string): string {
  return `${application} ${platform}`;
}
