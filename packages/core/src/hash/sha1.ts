/**
 * SHA-1 of a text or of bytes as lower-case hex: the name under which Redis keeps a script. WebCrypto could do it,
 * but only asynchronously, and a script's name must be known the moment it is sent. Not for anything secret.
 */
export function sha1(data: string | Uint8Array): string {
  const words = paddedWords(typeof data === "string" ? new TextEncoder().encode(data) : data);
  let [h0, h1, h2, h3, h4] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  const w = new Int32Array(80);
  for (let block = 0; block < words.length; block += 16) {
    for (let i = 0; i < 16; i++) w[i] = words[block + i] as number;
    for (let i = 16; i < 80; i++) w[i] = rotateLeft(at(w, i - 3) ^ at(w, i - 8) ^ at(w, i - 14) ^ at(w, i - 16), 1);
    let [a, b, c, d, e] = [h0, h1, h2, h3, h4];
    // Without a list per round: a script's first use hashes it, when this code is not compiled yet.
    for (let i = 0; i < 80; i++) {
      let next = rotateLeft(a, 5) + e + at(w, i);
      if (i < 20) next += ((b & c) | (~b & d)) + 0x5a827999;
      else if (i < 40) next += (b ^ c ^ d) + 0x6ed9eba1;
      else if (i < 60) next += ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
      else next += (b ^ c ^ d) + 0xca62c1d6;
      e = d;
      d = c;
      c = rotateLeft(b, 30);
      b = a;
      a = next | 0;
    }
    [h0, h1, h2, h3, h4] = [(h0 + a) | 0, (h1 + b) | 0, (h2 + c) | 0, (h3 + d) | 0, (h4 + e) | 0];
  }
  return hex([h0, h1, h2, h3, h4]);
}

const at = (words: Int32Array, index: number): number => words[index] as number;
const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

/**
 * The message as big-endian words: a one bit, zeros, and its length in bits, up to a whole number of 64-byte blocks.
 */
export function paddedWords(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(Math.ceil((bytes.length + 9) / 64) * 16);
  const view = new DataView(new ArrayBuffer(words.length * 4));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setBigUint64(words.length * 4 - 8, BigInt(bytes.length) * 8n);
  return words.map((_, index) => view.getInt32(index * 4));
}

export const hex = (words: readonly number[]): string =>
  words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
