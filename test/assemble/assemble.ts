import { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import wabt from 'wabt';

/** The binary form of a module in WebAssembly's text format. Throws with wabt's own words where the text is wrong. */
export async function assemble(file: string): Promise<Buffer> {
  const module = (await wabt()).parseWat(file, await readFile(file, 'utf8'), {
    simd: true,
    bulk_memory: true,
  });
  try {
    module.validate();
    return Buffer.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}
