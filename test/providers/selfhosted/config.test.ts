import { describe, expect, it } from '@jest/globals';
import { schema } from '../../../providers/selfhosted/config.ts';

describe('selfhosted options', () => {
  it('need nothing', () => {
    expect(schema.parse({})).toEqual({ driver: 'process', socket: '.sluice/host.sock' });
  });

  it.each(['docker', 'ssh'])('refuse driver %s by name', (driver) => {
    const issues = schema.safeParse({ driver }).error?.issues;
    expect(issues?.[0]).toMatchObject({
      path: ['driver'],
      message: `not built yet: driver "${driver}"; use "process"`,
    });
  });

  it('refuse what is no driver, and unknown keys', () => {
    expect(schema.safeParse({ driver: 'magic' }).error?.issues[0]?.message).toBe(
      'there is no driver "magic"; use "process"',
    );
    expect(schema.safeParse({ host: '10.0.0.1' }).success).toBe(false);
  });
});
