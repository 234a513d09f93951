import { describe, expect, it } from '@jest/globals';
import type { PlatformSignal, ProbeSignal } from '../../src/core/signals.ts';
import { Egress } from '../../src/health/egress.ts';

const START = 1_000_000;

function probe(platform: string, detail: string, seconds: number): ProbeSignal {
  return {
    ...{ kind: 'probe', at: START + seconds * 1_000, application: 'shop', platform, origin: `${platform}/o` },
    ...{ probe: 'http', ok: detail === 'ok', detail, latencyMs: 1 },
  };
}

function api(
  platform: string,
  apiFault: NonNullable<PlatformSignal['apiFault']>,
  seconds: number,
): PlatformSignal {
  const at = START + seconds * 1_000;
  return { kind: 'platform', at, application: 'shop', platform, observation: undefined, apiFault };
}

function statesOf(signals: readonly (ProbeSignal | PlatformSignal)[]): string[] {
  const egress = new Egress();
  return signals.flatMap((signal) => {
    const said = egress.hear(signal);
    return said === undefined ? [] : [`${said.egress} at ${(said.at - START) / 1_000}`];
  });
}

const CUT = [
  probe('a', 'ok', 0),
  probe('b', 'ok', 0),
  probe('a', 'timeout', 1),
  probe('b', 'unreachable', 1),
  probe('a', 'timeout', 2),
  probe('b', 'name not found', 2),
  probe('a', 'timeout', 4),
];

describe('the way out of this machine', () => {
  it('is cut when nothing comes back from any of several platforms', () => {
    expect(statesOf(CUT)).toEqual(['ok at 0', 'failing at 4']);
  });

  it('is open again with the first answer, whoever gives it', () => {
    expect(statesOf([...CUT, probe('b', 'status 503', 5)])).toEqual(['ok at 0', 'failing at 4', 'ok at 5']);
  });

  it.each([
    ['a router that refuses', probe('b', 'refused', 3.5)],
    ['an API that refuses us', api('b', 'auth', 3.5)],
    ['an error page', probe('b', 'router 503', 3.5)],
  ])('is open as long as there is %s', (_name, answer) => {
    expect(statesOf([...CUT.slice(0, -1), answer, probe('a', 'timeout', 4)])).toEqual(['ok at 0']);
  });

  it('is not cut because one platform is silent, and nobody else is there to compare with', () => {
    const alone = [0, 1, 2, 3, 4, 5].map((second) => probe('a', second === 0 ? 'ok' : 'timeout', second));
    expect(statesOf(alone)).toEqual(['ok at 0']);
  });

  it('is not cut while one of two platforms has not been asked since its last answer', () => {
    const a = [1, 2, 3, 4, 5].map((second) => probe('a', 'timeout', second));
    expect(statesOf([probe('b', 'ok', 0), ...a])).toEqual(['ok at 0']);
  });

  it('is cut from the start when nothing ever came back', () => {
    expect(statesOf([probe('a', 'timeout', 1), api('b', 'unavailable', 1)])).toEqual(['failing at 1']);
  });
});
