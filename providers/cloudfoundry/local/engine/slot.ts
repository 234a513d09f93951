import { z } from 'zod';
import type { Dispose } from '../../../../src/core/ports.ts';
import type { RunnerLogLine, RunningInstance, StartDetection } from '../../../../src/core/runner.ts';
import { signalGroup } from '../../../../src/runner/process-group.ts';
import type { CloudBase } from '../cloud.ts';
import { check } from './check.ts';
import { restartDelay } from './crash-policy.ts';
import type { ActualState, DesiredProcess, InstanceView } from './instances.ts';
import { shellCommand } from './start-command.ts';

/** Up this long, an instance's earlier crashes are forgiven. */
const FORGIVEN_AFTER_MS = 300_000;
/** `setTimeout` knows no longer wait. */
const NEVER_MS = 2_147_483_647;
const CRASH_COMMAND = "echo 'crash-loop fault: exiting at once' >&2; exit 1";
/** What `wrong-release` makes instances report. */
const WRONG_RELEASE = 'r-0000000000';

interface SlotDeps {
  readonly cloud: CloudBase;
  /** Runner id → slot, so that what the runner tells finds its way. */
  readonly running: Map<string, Slot>;
  readonly changed: () => void;
}

/** One index of a process: successive instances of it, one at a time, each with a guid and a port of its own. */
export interface Slot {
  start(): void;
  /** Leaves the router at once, then SIGTERM; resolves when it is gone. Never starts again. */
  stop(): Promise<void>;
  view(): InstanceView;
  observe(instance: RunningInstance): void;
  printed(line: RunnerLogLine): void;
  /** SIGKILL, as when the machine goes. */
  kill(): void;
  /** Starts what the fault held down. */
  release(): void;
}

export function createSlot(deps: SlotDeps, wish: DesiredProcess, index: number): Slot {
  const { cloud, running } = deps;
  const { clock, delays, runner } = cloud;
  let guid = cloud.newId();
  let state: ActualState = 'STARTING';
  let since = clock.now();
  let details: string | null = null;
  let routable = false;
  let crashes = 0;
  let stopping = false;
  let held = false;
  let monitors: Dispose[] = [];
  let timer: Dispose = () => undefined;

  function become(next: ActualState, why: string | null = null): void {
    if (state !== next) since = clock.now();
    state = next;
    details = why;
    deps.changed();
  }

  function say(text: string, stream: 'OUT' | 'ERR' = 'OUT'): void {
    cloud.logs.append(clock.now(), {
      appGuid: wish.appGuid,
      instance: String(index),
      sourceType: 'CELL',
      process: { guid: wish.processGuid, type: wish.type },
      stream,
      text,
    });
  }

  function begin(waitMs: number): void {
    if (cloud.faults.isOn('apps-down')) {
      held = true;
      become('CRASHED', 'apps-down fault');
      return;
    }
    if (cloud.faults.isOn('stuck-pending')) {
      held = true;
      become('DOWN', 'insufficient resources: memory');
      return;
    }
    timer = clock.after(waitMs, () => {
      guid = cloud.newId();
      become('STARTING');
      timer = clock.after(delays.placement, () => void launch());
    });
  }

  async function launch(): Promise<void> {
    if (stopping) return;
    if (cloud.faults.isOn('apps-down')) return begin(0);
    say(`Cell creating container for instance ${guid}`);
    running.set(guid, slot);
    try {
      await runner.start({
        id: guid,
        command: cloud.faults.isOn('crash-loop') ? CRASH_COMMAND : shellCommand(wish.command, wish.env),
        cwd: wish.cwd,
        env: instanceEnv(wish, index, guid, cloud.faults.isOn('wrong-release')),
        startDetection: detection(wish),
        startTimeoutMs: wish.health.type === 'process' ? NEVER_MS : wish.health.startTimeoutMs,
        stopGraceMs: delays.stopGrace,
        // Every incarnation is an instance of its own, so the restarts are ours to make.
        restart: false,
      });
    } catch (error) {
      crashed(error instanceof Error ? error.message : String(error));
    }
  }

  function isUp(): void {
    become('RUNNING');
    say('Container became healthy');
    if (wish.readiness.type === 'process') becomeRoutable(true);
    else watch(wish.readiness, (good) => becomeRoutable(good), 0);
    if (wish.health.type !== 'process') watch(wish.health, (good) => !good && unhealthy(), 1);
  }

  function becomeRoutable(value: boolean): void {
    if (routable === value) return;
    routable = value;
    deps.changed();
  }

  /** Looks again and again, never twice at once; `first` 0 looks at once too. */
  function watch(of: DesiredProcess['readiness'], seen: (good: boolean) => void, first: 0 | 1): void {
    const own = guid;
    let looking = false;
    async function look(): Promise<void> {
      if (looking) return;
      looking = true;
      const good = await check(portNow(), of);
      looking = false;
      if (own === guid && state === 'RUNNING' && !stopping) seen(good);
    }
    monitors.push(clock.every(Math.max(20, of.intervalMs), () => void look()));
    if (first === 0) void look();
  }

  function unhealthy(): void {
    say('Instance became unhealthy: Liveness check unsuccessful', 'ERR');
    unwatch();
    deps.changed();
    // The runner's report that it ended is what counts as the crash.
    void runner.stop(guid);
  }

  function unwatch(): void {
    for (const dispose of monitors) dispose();
    monitors = [];
    routable = false;
  }

  function crashed(why: string): void {
    const ranFor = state === 'RUNNING' ? clock.now() - since : 0;
    crashes = ranFor >= FORGIVEN_AFTER_MS ? 1 : crashes + 1;
    unwatch();
    forget();
    say(`Instance crashed: ${why}`, 'ERR');
    const app = cloud.state.apps.get(wish.appGuid);
    if (app) {
      const data = { instance: guid, index, reason: 'CRASHED', exit_description: why, crash_count: crashes };
      cloud.audit.record('app.crash', app, data);
      cloud.audit.record('audit.app.process.crash', app, data);
    }
    const wait = restartDelay(crashes, { first: delays.crashBackOff, longest: delays.longestBackOff });
    become(wait === 0 ? 'STARTING' : 'CRASHED', why);
    begin(wait);
  }

  function forget(): void {
    running.delete(guid);
    runner.forget(guid);
  }

  function portNow(): number {
    return runner.get(guid)?.port ?? 0;
  }

  const slot: Slot = {
    start: () => begin(0),
    observe(instance) {
      if (instance.id !== guid || stopping) return;
      if (instance.state === 'stopped') return crashed(instance.reason ?? 'stopped');
      if (state !== 'STARTING') return;
      const alive = instance.state === 'starting' && instance.pid !== undefined;
      if (instance.state === 'running' || (wish.health.type === 'process' && alive)) isUp();
    },
    printed(line) {
      cloud.logs.append(line.at, {
        appGuid: wish.appGuid,
        instance: String(index),
        sourceType: `APP/PROC/${wish.type.toUpperCase()}`,
        process: { guid: wish.processGuid, type: wish.type },
        stream: line.stream === 'out' ? 'OUT' : 'ERR',
        text: line.text,
      });
    },
    async stop() {
      stopping = true;
      timer();
      // The router must forget it before it is told to go: nobody is sent to a closing door.
      unwatch();
      become('STOPPING');
      if (running.has(guid)) {
        await clock.sleep(delays.routerPrune);
        await runner.stop(guid);
      }
      forget();
    },
    kill() {
      const pid = runner.get(guid)?.pid;
      held = true;
      if (pid !== undefined) signalGroup(pid, 'SIGKILL');
    },
    release() {
      if (!held || stopping) return;
      held = false;
      crashes = 0;
      timer();
      if (!running.has(guid)) begin(0);
    },
    view() {
      const instance = running.has(guid) ? runner.get(guid) : undefined;
      return {
        index,
        guid,
        state,
        routable: routable && state === 'RUNNING',
        since,
        port: instance?.port ?? 0,
        details,
        usage: instance?.usage ?? { cpu: 0, memoryBytes: 0 },
        memoryMb: wish.memoryMb,
        diskMb: wish.diskMb,
      };
    },
  };
  return slot;
}

function detection(wish: DesiredProcess): StartDetection {
  if (wish.health.type === 'http') return { kind: 'http', path: wish.health.path };
  // A process check is passed by being alive; this pattern matches no line.
  return wish.health.type === 'port' ? { kind: 'tcp' } : { kind: 'log', pattern: '(?!)' };
}

function instanceEnv(
  wish: DesiredProcess,
  index: number,
  guid: string,
  wrongRelease: boolean,
): Record<string, string> {
  const application = z.looseObject({}).parse(JSON.parse(wish.env['VCAP_APPLICATION'] ?? '{}'));
  return {
    ...wish.env,
    ...(wrongRelease ? { SLUICE_RELEASE: WRONG_RELEASE } : {}),
    VCAP_APPLICATION: JSON.stringify({
      ...application,
      instance_id: guid,
      instance_index: index,
      host: '0.0.0.0',
    }),
    CF_INSTANCE_INDEX: String(index),
    CF_INSTANCE_GUID: guid,
    INSTANCE_INDEX: String(index),
    INSTANCE_GUID: guid,
  };
}
