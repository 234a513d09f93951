#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { runControllerProcess } from './app/controller-process.ts';
import { runCli } from './app/run-cli.ts';
import { runWorkerProcess } from './app/worker-process.ts';

// One program, three roles: the supervisor starts this same file again for its controller and workers.
const role = process.env['SLUICE_ROLE'];
if (role === 'worker') runWorkerProcess();
else if (role === 'controller') await runControllerProcess(process.argv.slice(2));
else await runCli(process.argv.slice(2), fileURLToPath(import.meta.url));
