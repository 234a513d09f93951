import { EventEmitter } from 'node:events';
import { expect, it } from '@jest/globals';
import { outliveChannel } from '../../src/app/lost-channel.ts';

function failing(code: string): Error {
  return Object.assign(new Error(`write ${code}`), { code });
}

it('outlives a supervisor that is gone in the middle of a word, and nothing else', () => {
  const process = new EventEmitter();
  outliveChannel(process);
  for (const code of ['EPIPE', 'ERR_IPC_CHANNEL_CLOSED'])
    expect(() => process.emit('error', failing(code))).not.toThrow();
  expect(() => process.emit('error', failing('ENOMEM'))).toThrow('write ENOMEM');
});
