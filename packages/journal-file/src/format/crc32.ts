// A CRC is enough: it has to detect damage, not forgery. It is our own because a hash object of node:crypto costs
// more than a small record, and zlib.crc32 is missing in Node 21 and 22.0-22.1.
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/**
 * CRC-32 (IEEE 802.3) as an unsigned number.
 *
 * @param seed - The checksum of what comes before these bytes.
 */
export function crc32(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  for (let index = 0; index < bytes.length; index++) {
    // The index is a byte, so the table always has it; `| 0` keeps the compiler content without a branch in the loop.
    crc = (crc >>> 8) ^ ((table[(crc ^ (bytes[index] as number)) & 0xff] as number) | 0);
  }
  return ~crc >>> 0;
}
