import { spawn } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { virtualClock } from '../../src/lib/virtual-clock.ts';
import { usageSampler } from '../../src/runner/usage.ts';
import { until } from './applications.ts';

describe('usage', () => {
  it('sums processor and memory over a whole process group', async () => {
    // A shell that only waits for a busy child: the child's work counts.
    const busy = `${process.execPath} -e "const end=Date.now()+1500; while(Date.now()<end);" & wait`;
    const shell = spawn('sh', ['-c', busy], { detached: true, stdio: 'ignore' });
    const group = shell.pid ?? 0;
    const clock = virtualClock();
    const sampler = usageSampler(() => [group], clock);
    try {
      expect(sampler.of(group)).toBeUndefined();
      await until(() => {
        clock.advance(2_000);
        return (sampler.of(group)?.cpu ?? 0) > 0;
      });
      expect(sampler.of(group)?.memoryBytes).toBeGreaterThan(10_000_000);
      const gone = new Promise((resolve) => shell.once('exit', resolve));
      process.kill(-group, 'SIGKILL');
      await gone;
      await until(() => {
        clock.advance(2_000);
        return sampler.of(group) === undefined;
      });
    } finally {
      sampler.close();
      if (shell.exitCode === null && shell.signalCode === null) process.kill(-group, 'SIGKILL');
    }
  });
});
