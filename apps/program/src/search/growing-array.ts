type NumberArray = Uint8Array | Uint16Array | Uint32Array;

/** A typed array that grows with each push. */
export interface GrowingArray<Numbers extends NumberArray> {
  readonly length: number;
  push(value: number): void;
  at(index: number): number;
  set(index: number, value: number): void;
  /** Adds 1, up to the largest number that fits. */
  increment(index: number): void;
  /** The numbers so far, in an array of their own. */
  toArray(): Numbers;
}

export function growingArray<Numbers extends NumberArray>(
  ofLength: new (length: number) => Numbers,
): GrowingArray<Numbers> {
  let numbers = new ofLength(1_024);
  let length = 0;
  const largest = 2 ** (8 * numbers.BYTES_PER_ELEMENT) - 1;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === numbers.length) {
        const larger = new ofLength(2 * length);
        larger.set(numbers);
        numbers = larger;
      }
      numbers[length++] = Math.min(value, largest);
    },
    at: (index) => numbers[index] as number,
    set(index, value) {
      numbers[index] = value;
    },
    increment(index) {
      numbers[index] = Math.min((numbers[index] as number) + 1, largest);
    },
    toArray: () => numbers.slice(0, length) as Numbers,
  };
}
