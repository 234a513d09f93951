const LONGEST = 300;

/** A platform's words on one line, and not more of them than a person reads. */
export function eventText(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`;
}
