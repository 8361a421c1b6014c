import { hex, paddedWords } from "./sha1.ts";

/**
 * SHA-256 of a text as lower-case hex, so that a long or secret text can name a key. Synchronous, which WebCrypto is
 * not.
 */
export function sha256(text: string): string {
  const words = paddedWords(new TextEncoder().encode(text));
  roots ??= {
    initial: primes(8).map((prime) => fraction(Math.sqrt(prime))),
    constants: primes(64).map((prime) => fraction(Math.cbrt(prime))),
  };
  const { initial, constants } = roots;
  const state = Int32Array.from(initial);
  const w = new Int32Array(64);
  for (let block = 0; block < words.length; block += 16) {
    for (let i = 0; i < 16; i++) w[i] = words[block + i] as number;
    for (let i = 16; i < 64; i++) {
      const [back15, back2] = [at(w, i - 15), at(w, i - 2)];
      const small0 = rotateRight(back15, 7) ^ rotateRight(back15, 18) ^ (back15 >>> 3);
      const small1 = rotateRight(back2, 17) ^ rotateRight(back2, 19) ^ (back2 >>> 10);
      w[i] = (at(w, i - 16) + small0 + at(w, i - 7) + small1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < 64; i++) {
      const big1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
      const first = (h + big1 + ((e & f) ^ (~e & g)) + (constants[i] as number) + at(w, i)) | 0;
      const big0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
      const second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (at(state, index) + word) | 0;
  }
  return hex([...state]);
}

const at = (words: Int32Array, index: number): number => words[index] as number;
const rotateRight = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

const primes = (count: number): number[] => {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
};
/** The first 32 bits of the fraction: the standard derives its constants from the roots of the first primes. */
const fraction = (root: number): number => ((root - Math.floor(root)) * 0x1_0000_0000) | 0;
let roots: { readonly initial: readonly number[]; readonly constants: readonly number[] } | undefined;
