/**
 * Bytes that come in pieces, kept in one growing block: a reply that trickles in takes no more memory than a whole
 * one.
 */
export interface ByteStore {
  readonly length: number;
  append(bytes: Uint8Array): void;
  /** What has been kept so far. It changes with the next call. */
  bytes(): Buffer;
  clear(): void;
}

const smallestBytes = 4_096;
/** A larger block is given back after its reply. */
const largestKeptBytes = 1 << 16;

export function createByteStore(): ByteStore {
  let block = Buffer.alloc(0);
  let length = 0;
  return {
    get length() {
      return length;
    },
    append(bytes) {
      const needed = length + bytes.length;
      if (needed > block.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(smallestBytes, needed, 2 * block.length));
        larger.set(block.subarray(0, length));
        block = larger;
      }
      block.set(bytes, length);
      length = needed;
    },
    bytes: () => block.subarray(0, length),
    clear() {
      length = 0;
      if (block.length > largestKeptBytes) block = Buffer.alloc(0);
    },
  };
}
