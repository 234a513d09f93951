import { StringDecoder } from 'node:string_decoder';

/** Longer lines are cut here: one line of a runaway application must not fill the memory. */
const LONGEST_LINE = 8_192;
const CUT = '…';

interface LineSplitter {
  /** The lines that `chunk` completes, without their line ends. */
  feed(chunk: Uint8Array): readonly string[];
  /** What stood after the last line end, if anything. */
  end(): readonly string[];
}

/** Cuts output into lines however it was chunked; multi-byte characters may be split between chunks. */
export function lineSplitter(longest = LONGEST_LINE): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let open = '';
  let cut = false;

  function grow(text: string): void {
    if (cut) return;
    open += text;
    if (open.length <= longest) return;
    open = open.slice(0, longest) + CUT;
    cut = true;
  }

  function take(): string {
    const line = open.endsWith('\r') ? open.slice(0, -1) : open;
    open = '';
    cut = false;
    return line;
  }

  function split(text: string): readonly string[] {
    const parts = text.split('\n');
    const lines: string[] = [];
    for (const [index, part] of parts.entries()) {
      grow(part);
      if (index < parts.length - 1) lines.push(take());
    }
    return lines;
  }

  return {
    feed: (chunk) => split(decoder.write(chunk)),
    end() {
      const lines = split(decoder.end());
      return open === '' ? lines : [...lines, take()];
    },
  };
}
