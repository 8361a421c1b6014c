/** A record that can be told from any other, of a length that varies from a few bytes to some 200 kB. */
export function numbered(number: number): Uint8Array {
  const length = number % 50 === 49 ? 200_000 : (number * 37) % 900;
  return new TextEncoder().encode(`${number}:${"abcdefghij".repeat(length / 10)}`);
}

/** All records of the nth rewrite; the last of them is appended to it. */
export function generation(number: number): Uint8Array[] {
  const count = 2 + ((number * 7) % 40);
  return Array.from({ length: count }, (_, index) =>
    new TextEncoder().encode(`${number} ${index} ${count} ${"x".repeat((number * index) % 5_000)}`),
  );
}

/** Of which rewrite these are all records, with or without the one that was appended; -1 for none. Throws for a mix. */
export function isWhole(records: readonly Uint8Array[]): number {
  const [first] = records;
  if (!first) return -1;
  const number = Number.parseInt(new TextDecoder().decode(first), 10);
  const all = generation(number);
  const isSame = records.every((record, index) => Buffer.compare(record, all[index] ?? new Uint8Array()) === 0);
  if (!isSame || records.length < all.length - 1) throw new Error(`a mix: ${records.length} of ${all.length} records`);
  return number;
}
