import { isoTime } from '../../../../src/lib/iso-time.ts';
import type { Cluster } from '../cluster.ts';
import { badRequest, methodNotAllowed, notFound } from '../errors.ts';
import type { ContainerLine } from '../pod-logs.ts';
import type { Pod } from '../pod-types.ts';
import { PODS } from '../resources.ts';
import type { Answer, ApiRequest, Target } from './http.ts';

/** What a process printed last may still be in its pipe when it is gone. */
const LAST_LINES_MS = 50;

/** `…/pods/{pod}/log`: what a container printed, and with `follow` what it prints until the pod is gone. */
export function podLog(cluster: Cluster, request: ApiRequest, target: Target, name: string): Answer {
  if (request.method !== 'GET') throw methodNotAllowed();
  const pod = cluster.store.get(PODS, target.namespace, name);
  if (!pod) throw notFound(PODS, name);
  const { query } = request;
  const container = query.get('container') ?? pod.spec.containers[0]?.name ?? '';
  if (!pod.spec.containers.some((candidate) => candidate.name === container)) {
    throw badRequest(`container ${container} is not valid for pod ${name}`);
  }
  const uid = pod.metadata.uid ?? '';
  const previous = query.get('previous') === 'true';
  const status = pod.status.containerStatuses?.find((candidate) => candidate.name === container);
  if (previous && (status?.restartCount ?? 0) === 0) {
    throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  }
  const lines = cluster.podLogs.lines(uid, container, previous);
  const { waiting } = status?.state ?? { waiting: { reason: 'ContainerCreating' } };
  if (lines.length === 0 && waiting && waiting.reason !== 'CrashLoopBackOff') {
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${waiting.reason}`);
  }
  const timestamps = query.get('timestamps') === 'true';
  function format(line: ContainerLine): string {
    return timestamps ? `${isoTime(line.at)} ${line.text}\n` : `${line.text}\n`;
  }
  return {
    kind: 'stream',
    contentType: 'text/plain',
    write(response) {
      for (const line of selected(lines, query)) response.write(format(line));
      if (query.get('follow') !== 'true' || previous || hasEnded(pod, container)) {
        response.end();
        return;
      }
      response.flushHeaders();
      const disposers = [
        cluster.podLogs.onLine((printed) => {
          if (printed.pod === uid && printed.container === container) response.write(format(printed.line));
        }),
        cluster.podLogs.onForget((gone) => {
          if (gone === uid) response.end();
        }),
        // A run that ends takes its log with it, also when the next one begins in the same container.
        cluster.store.onChange(({ object }) => {
          if (object.metadata.uid !== uid) return;
          const now = cluster.store.get(PODS, target.namespace, name);
          if (now && hasEnded(now, container)) cluster.clock.after(LAST_LINES_MS, () => response.end());
        }),
      ];
      response.on('close', () => {
        for (const dispose of disposers) dispose();
      });
    },
  };
}

function hasEnded(pod: Pod, container: string): boolean {
  const status = pod.status.containerStatuses?.find((candidate) => candidate.name === container);
  return status?.state.terminated !== undefined;
}

function selected(lines: readonly ContainerLine[], query: URLSearchParams): readonly ContainerLine[] {
  const since = Date.parse(query.get('sinceTime') ?? '');
  const recent = Number.isNaN(since) ? lines : lines.filter((line) => line.at >= since);
  const tail = query.get('tailLines');
  if (tail === null) return recent;
  const count = Number(tail);
  return count <= 0 ? [] : recent.slice(-count);
}
