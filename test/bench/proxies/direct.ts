import type { Contender } from '../contender.ts';

/** No proxy at all: what clients see of load generator, kernel and origin alone. The origin's process is not ours to end. */
export const direct: Contender = {
  name: 'direct',
  describe: () => ({ version: 'no proxy' }),
  async start({ origins }) {
    const child = { name: 'direct', pid: process.pid, readyLine: '', lastLines: () => [] };
    return {
      url: origins[0]!,
      dataPathPid: undefined,
      child: { ...child, ask: () => Promise.reject(new Error('nobody to ask')), stop: async () => {} },
    };
  },
};
