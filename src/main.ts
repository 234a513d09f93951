#!/usr/bin/env node
import { fileURLToPath } from 'node:url';

// One program, three roles: the supervisor starts this same file again for its controller and workers. Each loads only
// what it runs: with the whole program in it a worker would be half as large again before its first client.
const role = process.env['SLUICE_ROLE'];
if (role === 'worker') {
  const { runWorkerProcess } = await import('./app/worker-process.ts');
  runWorkerProcess();
} else if (role === 'controller') {
  const { runControllerProcess } = await import('./app/controller-process.ts');
  await runControllerProcess(process.argv.slice(2));
} else {
  const { runCli } = await import('./app/run-cli.ts');
  await runCli(process.argv.slice(2), fileURLToPath(import.meta.url));
}
