import type { Thing } from '../wire.ts';

/** Our copy of all things of one kind, and which of them changed since when: by turns, not by time. */
export class Copy<T extends Thing> {
  #things = new Map<string, T>();
  /** Those that are gone too. */
  #touched = new Map<string, number>();
  #turn = 0;

  get things(): ReadonlyMap<string, T> {
    return this.#things;
  }

  get turn(): number {
    return this.#turn;
  }

  /** What the list says is all there is; answers what became another. */
  replace(list: readonly T[]): readonly T[] {
    const before = this.#things;
    this.#turn += 1;
    this.#things = new Map(list.map((thing) => [thing.metadata.name, thing]));
    const changed = [
      ...list.filter((thing) => versionOf(before.get(thing.metadata.name)) !== versionOf(thing)),
      ...[...before.values()].filter(({ metadata }) => !this.#things.has(metadata.name)),
    ];
    this.#touched = new Map(changed.map(({ metadata }) => [metadata.name, this.#turn]));
    return changed;
  }

  put(thing: T): void {
    this.#touch(thing);
    this.#things.set(thing.metadata.name, thing);
  }

  drop(thing: T): void {
    this.#touch(thing);
    this.#things.delete(thing.metadata.name);
  }

  /**
   * Does a list that was asked for at that turn show what we do not know? What changed here meanwhile may be older or
   * newer than the list: it proves nothing.
   */
  isBehind(list: readonly Thing[], askedAt: number): boolean {
    const quiet = (name: string): boolean => (this.#touched.get(name) ?? 0) <= askedAt;
    const listed = new Set(list.map(({ metadata }) => metadata.name));
    return (
      list.some(
        (thing) =>
          versionOf(this.#things.get(thing.metadata.name)) !== versionOf(thing) && quiet(thing.metadata.name),
      ) || [...this.#things.keys()].some((name) => !listed.has(name) && quiet(name))
    );
  }

  #touch({ metadata }: T): void {
    this.#turn += 1;
    this.#touched.set(metadata.name, this.#turn);
  }
}

function versionOf(thing: Thing | undefined): string | undefined {
  return thing?.metadata.resourceVersion;
}
