/**
 * Bytes of a text or a line that arrive in several chunks. It grows with what has arrived, never by what was claimed.
 */
export class GatheredBytes {
  /** How many there are. */
  length = 0;
  #bytes: Buffer = Buffer.alloc(0);

  /** Adds a copy of a part of a chunk. @param missing - How many bytes may come after it. */
  add(chunk: Buffer, from: number, to: number, missing: number): void {
    const length = this.length + to - from;
    if (length > this.#bytes.length) {
      // Twice as much each time, so that a text in many small chunks costs time in proportion to its length.
      const grown = Buffer.allocUnsafeSlow(Math.min(length * 2, length + missing));
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    chunk.copy(this.#bytes, this.length, from, to);
    this.length = length;
  }

  /** All that was added, and begins anew. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.length);
    this.#bytes = Buffer.alloc(0);
    this.length = 0;
    return taken;
  }
}
