/** The types of extensions by the number that stands for them in the bytes. Never renumber: databases hold them. */
export const extensionTypes = { timestamp: -1, map: 1, set: 2, bigint: 3, typedArray: 4 } as const;

/** Heads of extensions whose length is among these hold no length. */
export const fixedHeads: Readonly<Record<number, number>> = { 1: 0xd4, 2: 0xd5, 4: 0xd6, 8: 0xd7, 16: 0xd8 };

interface TypedArrayType {
  readonly prototype: ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): ArrayBufferView;
}

/** The typed arrays by the number that stands for them in the bytes. Never renumber: databases hold them. */
export const typedArrays: readonly TypedArrayType[] = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

const kinds: ReadonlyMap<unknown, number> = new Map(typedArrays.map((type, kind) => [type.prototype, kind]));

/**
 * Which of the typed arrays an object is; `undefined` for all else, `Uint8Array` too, which MessagePack has a type
 * for.
 */
export const kindOfTypedArray = (value: object): number | undefined => kinds.get(Object.getPrototypeOf(value));

/** Whether an object is bytes, as MessagePack has a type for. */
export function isBytes(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === Uint8Array.prototype ||
    prototype === (globalThis as { Buffer?: { prototype: unknown } }).Buffer?.prototype
  );
}
