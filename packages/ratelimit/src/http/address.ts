/** An IP address, however it was written: four bytes, or eight groups of 16 bits. */
export type Address =
  | { readonly version: 4; readonly bytes: readonly number[] }
  | { readonly version: 6; readonly groups: readonly number[] };

/** An address has at most 45 characters; brackets, a port and a zone are added to that. */
const longestText = 128;
/** Four numbers from 0 to 255. `010` is refused: some programs read it as ten, others as eight. */
const dotted = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const group = /^[0-9a-f]{1,4}$/i;

/**
 * Reads an address, with or without brackets, a port and a zone.
 *
 * @returns undefined when the text is no address.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > longestText) return undefined;
  const bare = text.trim();
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(bare) ?? [];
  if (bracketed !== undefined) return parseV6(bracketed);
  const bytes = parseV4(bare.replace(/^([\d.]+):\d{1,5}$/, "$1"));
  return bytes ? { version: 4, bytes } : parseV6(bare);
}

const parseV4 = (text: string): number[] | undefined => (dotted.test(text) ? text.split(".").map(Number) : undefined);

function parseV6(text: string): Address | undefined {
  const [bare = "", ...zone] = text.split("%");
  if (zone.length > 0 && zone.join("") === "") return undefined;
  const halves = bare.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (!head || (halves.length === 2 && !tail)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  // `::` stands for at least one group.
  if (tail ? missing < 1 : missing !== 0) return undefined;
  return fromGroups([...head, ...Array<number>(missing).fill(0), ...(tail ?? [])]);
}

function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const words = text.split(":");
  for (const [index, word] of words.entries()) {
    const bytes = isLast && index === words.length - 1 ? parseV4(word) : undefined;
    if (bytes) {
      const [a = 0, b = 0, c = 0, d = 0] = bytes;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (group.test(word)) {
      groups.push(Number.parseInt(word, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/**
 * Prefixes under which IPv4 addresses are written as IPv6: by sockets that serve both, and by translators (NAT64).
 */
const holdingV4 = ["0:0:0:0:0:ffff", "64:ff9b:0:0:0:0"];

function fromGroups(groups: readonly number[]): Address {
  const prefix = groups
    .slice(0, 6)
    .map((each) => each.toString(16))
    .join(":");
  if (!holdingV4.includes(prefix)) return { version: 6, groups };
  return { version: 4, bytes: groups.slice(6).flatMap((each) => [each >> 8, each & 255]) };
}
