/** Keeps what is costly to make, up to a number of entries. What was used longest ago goes first. */
export class BoundedCache<Key, Value> {
  private readonly entries = new Map<Key, Value>();

  constructor(
    private readonly maxEntries: number,
    private readonly make: (key: Key) => Value,
  ) {}

  /** What `make` throws is thrown, and nothing is kept. */
  get(key: Key): Value {
    const known = this.entries.get(key);
    if (known === undefined) return this.add(key, this.make(key));
    this.entries.delete(key); // and to the end of the line
    return this.add(key, known);
  }

  private add(key: Key, value: Value): Value {
    this.entries.set(key, value);
    if (this.entries.size > this.maxEntries) {
      for (const oldest of this.entries.keys()) {
        this.entries.delete(oldest);
        break;
      }
    }
    return value;
  }
}
