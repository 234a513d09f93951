/** How an origin behaves. `halfOpen` accepts and executes and never answers; `cut` breaks off inside its answers. */
export type OriginMode = 'well' | 'unavailable' | 'halfOpen' | 'slow' | 'cut';

/** To an origin. `die` resets every connection and ends the process in the same instant. */
export type OriginOrder = { readonly kind: 'mode'; readonly mode: OriginMode } | { readonly kind: 'die' };

export type OriginWord = { readonly kind: 'listening' } | { readonly kind: 'changed' };

export interface OriginSetting {
  /** What it calls itself in `x-origin`. */
  readonly name: string;
  readonly port: number;
  /** A line is added for each request that was executed and must not be executed twice. */
  readonly ledgerFile: string;
  readonly bodyBytes: number;
  /** Between a request and its answer; ten times that when slow. */
  readonly latencyMs: number;
}
