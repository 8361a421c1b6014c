/** Deflate level, 1 (fast) to 9 (small). */
export type DeflateLevel = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** Raw deflate (RFC 1951). What any implementation has written, each of them reads. */
export interface Deflate {
  deflate(bytes: Uint8Array, level: DeflateLevel): Uint8Array;
  /**
   * @param length - How many bytes are expected: no more memory is taken than these need.
   * @returns the bytes, fewer if there are fewer. Their memory may be a part of a larger buffer.
   * @throws Error when the input is damaged, or holds more.
   */
  inflate(bytes: Uint8Array, length: number): Uint8Array;
}
