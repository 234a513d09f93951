import { describe, expect, it } from '@jest/globals';
import { programCommand, programOf } from '../../src/orchestrator/program.ts';

const file = (path: string, mode = 0o755) => ({ path, mode, size: 1, sha256: '' });

describe('an application that is one executable file', () => {
  it('runs by its name', () => {
    expect(programOf({ files: [file('server')] })).toBe('server');
    expect(programCommand({ program: 'server' })).toBe('./server');
    expect(programCommand({ program: "it's a server" })).toBe("'./it'\\''s a server'");
  });

  it('is not one with more beside it, or that cannot be run', () => {
    expect(programOf({ files: [file('server'), file('config.json', 0o644)] })).toBeUndefined();
    expect(programOf({ files: [file('server.js', 0o644)] })).toBeUndefined();
    expect(programOf(undefined)).toBeUndefined();
    expect(programCommand({})).toBeUndefined();
  });
});
