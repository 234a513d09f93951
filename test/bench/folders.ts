import { join, resolve } from 'node:path';

/** We run compiled, from dist/test/bench; peers, results and the documents stand beside the sources. */
const HERE = import.meta.dirname;
export const ROOT = resolve(HERE, HERE.includes(join('dist', 'test')) ? '../../..' : '../..');
export const BENCH_FOLDER = join(ROOT, 'test', 'bench');
export const RESULTS_FOLDER = join(BENCH_FOLDER, 'results');
/** The run whose numbers README and docs/benchmarks.md show. */
export const PUBLISHED = join(RESULTS_FOLDER, 'latest.json');
