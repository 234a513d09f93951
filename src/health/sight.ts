import type { ProbeFact, TargetFacts, TargetSignals } from '../core/facts.ts';
import { WRONG_BODY } from './classify.ts';

/**
 * What one target looks like from here, by itself: who failed to answer.
 * `application`: it, or its instances. `route`: the router answers and knows no way. `router`: it does not answer, or
 * not as it should. `path`: nothing answers at all. `dns`: the name is not found. `undecided`: it has just fallen, and
 * what tells these apart is being asked.
 */
export interface Sight {
  readonly kind: 'fine' | 'application' | 'route' | 'router' | 'path' | 'dns' | 'unknown' | 'undecided';
  /** Most telling first. */
  readonly evidence: readonly string[];
}

/** Older facts than this say nothing of now. */
const FRESH_MS = 15_000;
/** So long the port and the router may take to be asked anew. */
const ASKED_ANEW_MS = 2_000;
/** So long the next read of a platform may take: they come every two seconds. */
const READ_ANEW_MS = 5_000;
/** Part of the requests, of at least so many, that fails when probes see nothing. */
const FAILING_RATIO = 0.5;
const MIN_ATTEMPTS = 20;

/** Gorouter's codes (X-Cf-RouterError) that mean: I do not know this host, or nobody is behind it. */
const NO_ROUTE: ReadonlySet<string> = new Set(['unknown_route']);
const NO_INSTANCE: ReadonlySet<string> = new Set(['no_endpoints', 'endpoint_failure', '503', '502']);

export function sightOf(target: TargetFacts, now: number): Sight {
  const { signals } = target;
  const http = fresh(signals?.http);
  if (http === undefined) return byTraffic(target, []);
  if (http.ok) return byTraffic(target, [`its health path answers`]);
  // One failed probe is none as long as the judge believes in the target.
  if (target.verdict.state === 'up') return byTraffic(target, []);
  if (isUndecided(target, now)) return { kind: 'undecided', evidence: [] };
  const evidence = evidenceOf(http, signals);
  const code = http.detail.startsWith('router ') ? http.detail.slice('router '.length) : undefined;
  if (code !== undefined) {
    if (isOldNews(target, now)) return { kind: 'undecided', evidence: [] };
    return byRouterError(code, signals, evidence);
  }
  if (http.detail.startsWith('status ') || http.detail === WRONG_BODY)
    return { kind: 'application', evidence };
  if (http.detail === 'name not found') return { kind: 'dns', evidence };
  if (http.detail === 'tls') return { kind: 'router', evidence };
  return { kind: bySilence(http.detail, signals), evidence };
}

/**
 * A moment after the fall what is known of the port and the router is from before it: blaming somebody on that would
 * be blaming the wrong one half of the time. They are asked anew at once, so it does not last.
 */
function isUndecided({ verdict, signals }: TargetFacts, now: number): boolean {
  if (verdict.state !== 'down' || now - verdict.since > ASKED_ANEW_MS) return false;
  return [signals?.tcp, signals?.control].some(
    (fact) => fact?.ok === true && now - fact.ageMs < verdict.since,
  );
}

/** The instances that the platform counts are those from before the fall; its next read tells. */
function isOldNews({ verdict, signals }: TargetFacts, now: number): boolean {
  const platform = signals?.platform;
  if (platform === undefined || !platform.apiReachable || verdict.state !== 'down') return false;
  return now - verdict.since <= READ_ANEW_MS && now - platform.ageMs < verdict.since;
}

/** The router speaks in place of the application: which of the two is missing? */
function byRouterError(code: string, signals: TargetSignals | undefined, evidence: readonly string[]): Sight {
  const isUnknown = NO_ROUTE.has(code);
  if (!isUnknown && !NO_INSTANCE.has(code)) return { kind: 'router', evidence };
  // OpenShift's page says the same for a missing route and for missing endpoints, and Cloud Foundry forgets a route
  // some time after its last instance died: the platform knows which it is.
  const platform = signals?.platform;
  const routable = platform?.apiReachable === true ? platform.routable : undefined;
  if (isUnknown) return { kind: routable === 0 ? 'application' : 'route', evidence };
  return {
    kind: code === '503' && routable !== undefined && routable > 0 ? 'route' : 'application',
    evidence,
  };
}

/** Nothing came back. Is it the application that is silent, the router, or the way there? */
function bySilence(detail: string, signals: TargetSignals | undefined): Sight['kind'] {
  const control = fresh(signals?.control);
  if (control?.ok === true) return 'application';
  const tcp = fresh(signals?.tcp);
  // Somebody accepts there, and then says nothing or hangs up.
  if (tcp?.ok === true) return control === undefined ? 'application' : 'router';
  if (detail === 'refused') return control === undefined ? 'application' : 'router';
  return 'path';
}

/** Probes see nothing wrong, or nothing at all: what did the requests meet? */
function byTraffic({ traffic, signals, verdict }: TargetFacts, fine: readonly string[]): Sight {
  const { attempts, failed } = traffic;
  if (attempts >= MIN_ATTEMPTS && failed / attempts >= FAILING_RATIO) {
    const errors = signals?.errors;
    const lines = [`${failed} of ${attempts} requests failed in the last 10 s`, ...fine];
    const unreached = errors === undefined ? 0 : errors.connect + errors.tls;
    return { kind: unreached * 2 > failed ? 'path' : 'application', evidence: lines };
  }
  if (fine.length === 0 && verdict.state === 'unknown') return { kind: 'unknown', evidence: [] };
  return { kind: 'fine', evidence: fine };
}

function evidenceOf(http: ProbeFact, signals: TargetSignals | undefined): readonly string[] {
  const lines = [`its health path: ${http.detail}`];
  const { control, tcp, platform, routerError } = signals ?? {};
  if (control !== undefined) lines.push(`its router, asked for a host it does not know: ${control.detail}`);
  if (tcp !== undefined) lines.push(`its port: ${tcp.detail}`);
  if (routerError !== undefined) lines.push(`its router says ${routerError.code}`);
  if (platform !== undefined) {
    lines.push(
      platform.apiReachable
        ? `its API: ${platform.running} of ${platform.desired} instances run, ${platform.routable} routable`
        : `its API does not answer: ${platform.apiError ?? 'no answer'}`,
    );
  }
  return lines;
}

function fresh(fact: ProbeFact | undefined): ProbeFact | undefined {
  return fact !== undefined && fact.ageMs <= FRESH_MS ? fact : undefined;
}
