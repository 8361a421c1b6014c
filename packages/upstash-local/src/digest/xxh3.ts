// XXH3 with 64 bits, seed 0 and the default secret, as Redis' DIGEST computes it. The names are those of its
// specification (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).

const mask = (1n << 64n) - 1n;
const prime32 = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn] as const;
const prime64 = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;
const primeMx1 = 0x165667919e3779f9n;
const primeMx2 = 0x9fb21c651e98df25n;

const secret = view(
  Buffer.from(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e" +
      "e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d" +
      "8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc" +
      "8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e",
    "hex",
  ),
);
const secretBytes = 192;
const stripeBytes = 64;

/** The digest of a value in 16 hexadecimal digits. */
export function xxh3(value: string | Uint8Array): string {
  return hash(view(Buffer.from(value as string)))
    .toString(16)
    .padStart(16, "0");
}

function view(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hash(data: DataView): bigint {
  const { byteLength: length } = data;
  if (length === 0) return avalanche64(u64(secret, 56) ^ u64(secret, 64));
  if (length <= 3) return hash1to3(data);
  if (length <= 8) return hash4to8(data);
  if (length <= 16) return hash9to16(data);
  if (length <= 128) return hash17to128(data);
  if (length <= 240) return hash129to240(data);
  return hashLong(data);
}

const u32 = (from: DataView, at: number): bigint => BigInt(from.getUint32(at, true));
const u64 = (from: DataView, at: number): bigint => from.getBigUint64(at, true);
const times = (a: bigint, b: bigint): bigint => (a * b) & mask;

function mulFold(a: bigint, b: bigint): bigint {
  const product = a * b;
  return (product & mask) ^ (product >> 64n);
}

function avalanche(hashed: bigint): bigint {
  const mixed = times(hashed ^ (hashed >> 37n), primeMx1);
  return mixed ^ (mixed >> 32n);
}

/** The last step of XXH64. */
function avalanche64(hashed: bigint): bigint {
  let mixed = times(hashed ^ (hashed >> 33n), prime64[1]);
  mixed = times(mixed ^ (mixed >> 29n), prime64[2]);
  return mixed ^ (mixed >> 32n);
}

const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & mask;

function swapBytes(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE();
}

function hash1to3(data: DataView): bigint {
  const { byteLength: length } = data;
  const [first, middle, last] = [data.getUint8(0), data.getUint8(length >> 1), data.getUint8(length - 1)];
  const combined = BigInt(((first << 16) | (middle << 24) | last | (length << 8)) >>> 0);
  return avalanche64(combined ^ u32(secret, 0) ^ u32(secret, 4));
}

function hash4to8(data: DataView): bigint {
  const length = data.byteLength;
  const input = u32(data, length - 4) + (u32(data, 0) << 32n);
  let mixed = input ^ u64(secret, 8) ^ u64(secret, 16);
  mixed ^= rotate(mixed, 49n) ^ rotate(mixed, 24n);
  mixed = times(mixed, primeMx2);
  mixed = times(mixed ^ ((mixed >> 35n) + BigInt(length)), primeMx2);
  return mixed ^ (mixed >> 28n);
}

function hash9to16(data: DataView): bigint {
  const length = data.byteLength;
  const low = u64(data, 0) ^ u64(secret, 24) ^ u64(secret, 32);
  const high = u64(data, length - 8) ^ u64(secret, 40) ^ u64(secret, 48);
  return avalanche((BigInt(length) + swapBytes(low) + high + mulFold(low, high)) & mask);
}

const mix16 = (data: DataView, at: number, secretAt: number): bigint =>
  mulFold(u64(data, at) ^ u64(secret, secretAt), u64(data, at + 8) ^ u64(secret, secretAt + 8));

function hash17to128(data: DataView): bigint {
  const length = data.byteLength;
  let sum = times(BigInt(length), prime64[0]);
  for (let pair = Math.floor((length - 1) / 32); pair >= 0; pair--) {
    sum += mix16(data, 16 * pair, 32 * pair) + mix16(data, length - 16 * (pair + 1), 32 * pair + 16);
  }
  return avalanche(sum & mask);
}

function hash129to240(data: DataView): bigint {
  const length = data.byteLength;
  const rounds = Math.floor(length / 16);
  let sum = times(BigInt(length), prime64[0]);
  for (let round = 0; round < 8; round++) sum += mix16(data, 16 * round, 16 * round);
  sum = avalanche(sum & mask);
  for (let round = 8; round < rounds; round++) sum += mix16(data, 16 * round, 16 * (round - 8) + 3);
  sum += mix16(data, length - 16, 136 - 17);
  return avalanche(sum & mask);
}

function hashLong(data: DataView): bigint {
  const length = data.byteLength;
  const lanes = [
    prime32[2],
    prime64[0],
    prime64[1],
    prime64[2],
    prime64[3],
    prime32[1],
    prime64[4],
    prime32[0],
  ] as bigint[];
  const stripesPerBlock = (secretBytes - stripeBytes) / 8;
  const blockBytes = stripeBytes * stripesPerBlock;
  const blocks = Math.floor((length - 1) / blockBytes);
  for (let block = 0; block < blocks; block++) {
    for (let stripe = 0; stripe < stripesPerBlock; stripe++) {
      accumulate(lanes, data, block * blockBytes + stripe * stripeBytes, stripe * 8);
    }
    scramble(lanes);
  }
  const stripes = Math.floor((length - 1 - blocks * blockBytes) / stripeBytes);
  for (let stripe = 0; stripe < stripes; stripe++) {
    accumulate(lanes, data, blocks * blockBytes + stripe * stripeBytes, stripe * 8);
  }
  accumulate(lanes, data, length - stripeBytes, secretBytes - stripeBytes - 7);
  let sum = times(BigInt(length), prime64[0]);
  for (let pair = 0; pair < 4; pair++) {
    const [low = 0n, high = 0n] = lanes.slice(2 * pair, 2 * pair + 2);
    sum += mulFold(low ^ u64(secret, 11 + 16 * pair), high ^ u64(secret, 11 + 16 * pair + 8));
  }
  return avalanche(sum & mask);
}

function accumulate(lanes: bigint[], data: DataView, at: number, secretAt: number): void {
  for (let lane = 0; lane < 8; lane++) {
    const input = u64(data, at + 8 * lane);
    const keyed = input ^ u64(secret, secretAt + 8 * lane);
    lanes[lane ^ 1] = ((lanes[lane ^ 1] ?? 0n) + input) & mask;
    lanes[lane] = ((lanes[lane] ?? 0n) + (keyed & 0xffffffffn) * (keyed >> 32n)) & mask;
  }
}

function scramble(lanes: bigint[]): void {
  for (const [lane, value] of lanes.entries()) {
    const mixed = value ^ (value >> 47n) ^ u64(secret, secretBytes - stripeBytes + 8 * lane);
    lanes[lane] = times(mixed, prime32[0]);
  }
}
