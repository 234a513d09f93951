/**
 * Length in bits of the code of each octet (RFC 7541 appendix B), and of the end of a string. The code is canonical:
 * the shorter first, among equals the smaller octet, so the lengths say everything.
 */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
] as const;

const END = 256;
const NOTHING = 0xffff;
const BROKEN = 0xffff;
/** A string may end within a code only by the first bits of END, fewer than eight of them: all ones. */
const MOST_PADDING = 7;

/** A node of the code's tree: its two branches, each another node or an octet. */
interface Node {
  readonly index: number;
  readonly branches: [Node | number | undefined, Node | number | undefined];
}

/** Where four more bits lead from a node: to which one, and which octet they complete on the way. */
const { next, octet, mayEnd } = tables();

/** Decodes `bytes[from..to)` to Latin-1 into `into`; the number of octets, or -1 when it is no Huffman code. */
export function decodeHuffman(bytes: Buffer, from: number, to: number, into: Buffer): number {
  let state = 0;
  let length = 0;
  for (let at = from; at < to; at += 1) {
    const high = (state << 4) | (bytes[at]! >> 4);
    if (next[high] === BROKEN) return -1;
    if (octet[high] !== NOTHING) {
      into[length] = octet[high]!;
      length += 1;
    }
    const low = (next[high]! << 4) | (bytes[at]! & 0xf);
    if (next[low] === BROKEN) return -1;
    if (octet[low] !== NOTHING) {
      into[length] = octet[low]!;
      length += 1;
    }
    state = next[low]!;
  }
  return mayEnd[state] === 1 ? length : -1;
}

function tables(): { next: Uint16Array; octet: Uint16Array; mayEnd: Uint8Array } {
  const nodes = tree();
  const next = new Uint16Array(16 * nodes.length).fill(BROKEN);
  const octet = new Uint16Array(16 * nodes.length).fill(NOTHING);
  for (const node of nodes) {
    for (let bits = 0; bits < 16; bits += 1) {
      let at: Node | number | undefined = node;
      // The shortest code has five bits, so four complete one at most.
      for (let bit = 3; bit >= 0 && typeof at === 'object'; bit -= 1) {
        at = at.branches[(bits >> bit) & 1];
        if (typeof at === 'number' && at !== END) {
          octet[16 * node.index + bits] = at;
          at = nodes[0]!;
        }
      }
      if (typeof at === 'object') next[16 * node.index + bits] = at.index;
    }
  }
  const mayEnd = new Uint8Array(nodes.length);
  let ones: Node | number | undefined = nodes[0]!;
  for (let depth = 0; depth <= MOST_PADDING && typeof ones === 'object'; depth += 1) {
    mayEnd[ones.index] = 1;
    ones = ones.branches[1];
  }
  return { next, octet, mayEnd };
}

function tree(): readonly Node[] {
  const nodes: Node[] = [];
  const grow = (): Node => {
    const node: Node = { index: nodes.length, branches: [undefined, undefined] };
    nodes.push(node);
    return node;
  };
  const root = grow();
  const symbols = LENGTHS.map((length, symbol) => ({ length, symbol }));
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0;
  let before = 0;
  for (const { length, symbol } of symbols) {
    code <<= length - before;
    before = length;
    let node = root;
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const side = ((code >> bit) & 1) === 1 ? 1 : 0;
      let branch = node.branches[side];
      if (typeof branch !== 'object') {
        branch = grow();
        node.branches[side] = branch;
      }
      node = branch;
    }
    node.branches[(code & 1) === 1 ? 1 : 0] = symbol;
    code += 1;
  }
  return nodes;
}
