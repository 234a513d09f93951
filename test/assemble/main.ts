import { readFile, writeFile } from 'node:fs/promises';
import { assemble } from './assemble.ts';

// `npm run wasm`: puts the assembled `octet-scan.wat` where the sources have it, so that nobody needs wabt to build them.
const TEXT = 'src/gateway/http1/octet-scan.wat';
const HOLDER = 'src/gateway/http1/octet-scan.ts';

const assembled = (await assemble(TEXT)).toString('base64');
const holder = await readFile(HOLDER, 'utf8');
await writeFile(HOLDER, holder.replace(/(ASSEMBLED =\s+')[^']*'/, `$1${assembled}'`));
process.stdout.write(`${HOLDER} holds ${TEXT}: ${assembled.length} characters\n`);
