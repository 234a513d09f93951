/** How many connections each client address has. */
export class AddressLimit {
  readonly #counts = new Map<string, number>();

  /** False when the address has as many as it may; `most` 0: any number. Each `admit` that was true wants a `leave`. */
  admit(address: string, most: number): boolean {
    const count = this.#counts.get(address) ?? 0;
    if (most > 0 && count >= most) return false;
    this.#counts.set(address, count + 1);
    return true;
  }

  leave(address: string): void {
    const count = this.#counts.get(address) ?? 0;
    if (count > 1) this.#counts.set(address, count - 1);
    else this.#counts.delete(address);
  }
}
