export interface MemoryLimits {
  /** Texts; a full memory is emptied. */
  readonly most: number;
  /** Characters of a text. Of longer ones nothing is kept: texts come from strangers, and may hold on to longer ones. */
  readonly longest: number;
}

/** The same function, which remembers what it said of texts that come again and again. */
export function remembered<Told>(
  tell: (text: string) => Told,
  { most, longest }: MemoryLimits,
): (text: string) => Told {
  const known = new Map<string, Told>();
  return (text) => {
    if (text.length > longest) return tell(text);
    let told = known.get(text);
    if (told === undefined) {
      told = tell(text);
      if (known.size >= most) known.clear();
      known.set(text, told);
    }
    return told;
  };
}
