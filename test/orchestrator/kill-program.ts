import type { StateStore } from '../../src/core/ports.ts';
import { openOrchestratorLife } from './orchestrator-life.ts';

/**
 * Deploys what lies in a folder and dies by SIGKILL at the Nth write of the journal: `before` it, when the platforms
 * know what the journal does not yet, or `after` it, when nothing was done with it yet.
 *
 * node kill-program.js FOLDER N before|after; says how many writes there were when there were fewer.
 */
const [dir = '', at = '0', when = 'after'] = process.argv.slice(2);
/** What somebody who goes on after us relies on. */
const JOURNALS: ReadonlySet<string> = new Set(['deployments', 'tasks']);
let writes = 0;

function deadly(store: StateStore): StateStore {
  return {
    ...store,
    async put(collection, key, value) {
      if (!JOURNALS.has(collection)) return await store.put(collection, key, value);
      writes += 1;
      if (writes === Number(at) && when === 'before') process.kill(process.pid, 'SIGKILL');
      await store.put(collection, key, value);
      if (writes === Number(at) && when === 'after') process.kill(process.pid, 'SIGKILL');
    },
  };
}

const life = await openOrchestratorLife({ dir, env: process.env, around: deadly });
const { outcome } = await life.deploy();
await life.close();
process.stdout.write(`${JSON.stringify({ writes, outcome })}\n`);
