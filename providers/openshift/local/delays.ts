/**
 * How long the real one takes, shortened to what a person watching a demo bears; milliseconds at `speed` 1. What a
 * client wrote into a spec as a deadline (progressDeadlineSeconds, grace periods, probe timeouts) is not scaled, since
 * real processes do not start faster in a test; what merely passes time (probe periods, preStop sleeps, back-off) is.
 */
export const DELAYS = {
  controller: 15,
  builderAccount: 120,
  buildPod: 400,
  buildPodStart: 500,
  imageTrigger: 70,
  assemble: 400,
  push: 400,
  schedule: 40,
  /** The real one looks every 15 s. */
  autoscale: 1_500,
  provision: 150,
  pull: 250,
  endpoints: 40,
  admission: 60,
  /** From the first change until the router serves it, and the least time between two reloads. */
  reloadAfter: 250,
  reloadEvery: 1_000,
  connectRetry: 1_000,
  healthCheck: 5_000,
  crashBackOff: 2_000,
  crashBackOffMax: 60_000,
  namespaceEnd: 300,
} as const;

export type DelayName = keyof typeof DELAYS;
