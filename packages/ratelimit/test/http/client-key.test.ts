import { isIP } from "node:net";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientKey } from "../../src/http/client-key.ts";
import { forwardedAddress } from "../../src/http/forwarded-address.ts";

const byte = fc.integer({ min: 0, max: 255 });
const v4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join("."));
/** Zeros are frequent, as they are in real addresses: they make `::` possible in several places. */
const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const groups = fc.array(group, { minLength: 8, maxLength: 8 });
const holdsV4 = (all: readonly number[]) =>
  (all.slice(0, 5).every((each) => each === 0) && all[5] === 0xffff) ||
  (all[0] === 0x64 && all[1] === 0xff9b && all.slice(2, 6).every((each) => each === 0));
const v6 = groups.filter((all) => !holdsV4(all));

/** Addresses in many spellings. */
const spelled = (all: readonly number[], choose: (from: number, to: number) => number): string => {
  const words = all.map((each) => {
    const word = each.toString(16).padStart(choose(1, 4), "0");
    return choose(0, 1) ? word.toUpperCase() : word;
  });
  if (choose(0, 2) === 0) {
    const [high = 0, low = 0] = all.slice(6);
    words.splice(6, 2, [high >> 8, high & 255, low >> 8, low & 255].join("."));
  }
  const runs = words.flatMap((_, from) =>
    words.slice(from).flatMap((_, length) => {
      const to = from + length + 1;
      return to <= words.length && all.slice(from, to).every((each) => each === 0) && !words[to - 1]?.includes(".")
        ? [{ from, to }]
        : [];
    }),
  );
  const run = runs[choose(0, runs.length)];
  const text = run ? `${words.slice(0, run.from).join(":")}::${words.slice(run.to).join(":")}` : words.join(":");
  const zoned = choose(0, 3) === 0 ? `${text}%eth0` : text;
  const outer = choose(0, 2);
  return outer === 0 ? zoned : outer === 1 ? `[${zoned}]` : `[${zoned}]:${choose(1, 65_535)}`;
};
const choices = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
const chooser = (stream: Iterator<number>) => (from: number, to: number) =>
  from + Math.floor(((stream.next().value as number | undefined) ?? 0) * (to - from + 1));

describe("clientKey", () => {
  it("takes IPv4 as it is, and IPv6 by its first 56 bits", () => {
    expect(clientKey("203.0.113.7")).toBe("203.0.113.7");
    expect(clientKey("2001:db8:0:1ff::1")).toBe("2001:db8:0:100::/56");
    expect(clientKey("::1")).toBe("0:0:0:0::/56");
  });

  it.each([
    [32, "2001:db8::/32"],
    [48, "2001:db8:1234::/48"],
    [52, "2001:db8:1234:f000::/52"],
    [64, "2001:db8:1234:fedc::/64"],
    [128, "2001:db8:1234:fedc:1:2:3:4/128"],
  ])("takes IPv6 by %i bits when told so", (ipv6Prefix, key) => {
    expect(clientKey("2001:db8:1234:fedc:1:2:3:4", { ipv6Prefix })).toBe(key);
  });

  it.each([0, 31, 129, 56.5, Number.NaN, "64"])("refuses a prefix of %s", (ipv6Prefix) => {
    expect(() => clientKey("::1", { ipv6Prefix: ipv6Prefix as number })).toThrow(/`ipv6Prefix`.*32 to 128/);
  });

  it("gives one key to an IPv4 address with a port, in brackets, and inside of IPv6", () => {
    for (const text of [
      "203.0.113.7",
      " 203.0.113.7 ",
      "203.0.113.7:65535",
      "::ffff:203.0.113.7",
      "::FFFF:cb00:7107",
      "0:0:0:0:0:ffff:203.0.113.7",
      "[::ffff:203.0.113.7]",
      "[::ffff:203.0.113.7]:443",
      "::ffff:203.0.113.7%eth0",
      "64:ff9b::203.0.113.7",
    ]) {
      expect(clientKey(text), text).toBe("203.0.113.7");
    }
  });

  it("gives one key to an IPv6 address however it is written", () => {
    fc.assert(
      fc.property(v6, choices, (all, stream) => {
        const text = spelled(all, chooser(stream));
        const key = clientKey(all.map((each) => each.toString(16)).join(":"), { ipv6Prefix: 128 });
        expect(clientKey(text, { ipv6Prefix: 128 }), text).toBe(key);
      }),
      runs(3_000),
    );
  });

  it("gives one key to an IPv4 address, also inside of IPv6", () => {
    fc.assert(
      fc.property(v4, choices, (text, stream) => {
        const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
        const mapped = [0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d];
        expect(clientKey(text)).toBe(text);
        expect(clientKey(spelled(mapped, chooser(stream)))).toBe(text);
      }),
      runs(),
    );
  });

  it("tells addresses apart if and only if their prefixes differ", () => {
    const near = fc.tuple(v6, fc.integer({ min: 0, max: 127 })).map(([all, bit]) => {
      const other = [...all];
      const at = Math.floor(bit / 16);
      other[at] = (other[at] ?? 0) ^ (0x8000 >> (bit % 16));
      return { all, other, bit };
    });
    fc.assert(
      fc.property(
        near.filter(({ other }) => !holdsV4(other)),
        fc.integer({ min: 32, max: 128 }),
        ({ all, other, bit }, ipv6Prefix) => {
          const [one, two] = [all, other].map((each) =>
            clientKey(each.map((part) => part.toString(16)).join(":"), { ipv6Prefix }),
          );
          expect(one === two).toBe(bit >= ipv6Prefix);
        },
      ),
      runs(2_000),
    );
  });

  it("gives a key that is an address itself, within its own prefix", () => {
    fc.assert(
      fc.property(v6, (all) => {
        const key = clientKey(all.map((each) => each.toString(16)).join(":"));
        const [address = "", bits] = key.split("/");
        expect(isIP(address)).toBe(6);
        expect(bits).toBe("56");
        expect(clientKey(address)).toBe(key);
      }),
      runs(),
    );
  });

  it("takes for an address exactly what Node's own parser does", () => {
    const scraps = fc.constantFrom("::", ":", ".", "0", "00", "1", "255", "256", "ffff", "fffff", "%", "g", "1.2.3.4");
    const nearly = fc.array(scraps, { maxLength: 12 }).map((parts) => parts.join(""));
    const regular = fc
      .tuple(fc.array(fc.constantFrom("0", "1", "ab", "", "1.2.3.4"), { maxLength: 10 }))
      .map(([parts]) => parts.join(":"));
    fc.assert(
      // Unlike Node's parser, this one strips ports and accepts any zone.
      fc.property(
        fc.oneof(nearly, regular, v4, fc.ipV6()).filter((text) => !/^[\d.]+:\d+$|%/.test(text)),
        (text) => {
          let isAddress = true;
          try {
            clientKey(text);
          } catch {
            isAddress = false; // whatever is thrown, it is no key
          }
          expect(isAddress, text).toBe(isIP(text) !== 0);
        },
      ),
      runs(5_000),
    );
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["an empty text", ""],
    ["a number", 3_405_803_783],
    ["a name", "localhost"],
    ["what proxies write for the unknown", "unknown"],
    ["an obfuscated node", "_hidden"],
    ["octal", "010.0.0.1"],
    ["hexadecimal", "0x7f.0.0.1"],
    ["one number", "2130706433"],
    ["three numbers", "127.0.1"],
    ["five numbers", "1.2.3.4.5"],
    ["a trailing dot", "1.2.3.4."],
    ["a trailing line", "1.2.3.4\nx"],
    ["full-width digits", "１.２.３.４"],
    ["another script's digits", "١.٢.٣.٤"],
    ["a list", "1.2.3.4, 5.6.7.8"],
    ["a prefix", "2001:db8::/56"],
    ["two gaps", "2001::db8::1"],
    ["a gap for nothing", "1:2:3:4:5:6:7::8"],
    ["nine groups", "1:2:3:4:5:6:7:8:9"],
    ["three colons", "1:::2"],
    ["IPv4 in the middle", "::1.2.3.4:1"],
    ["IPv4 in brackets", "[1.2.3.4]"],
    ["an open bracket", "[::1"],
    ["text after the bracket", "[::1]x"],
    ["a port without a number", "1.2.3.4:"],
    ["a port with a sign", "1.2.3.4:-1"],
    ["a zone without a name", "fe80::1%"],
    ["a zone on IPv4", "1.2.3.4%eth0"],
    ["a long text", `::1%${"a".repeat(100_000)}`],
    ["control characters", "1.2.3.4\u0000"],
  ])("refuses %s", (_, address) => {
    expect(() => clientKey(address as string)).toThrow(TypeError);
  });

  it("does not repeat what it was given, which may be personal", () => {
    expect(() => clientKey("ann@example.com")).toThrow(/a text of 15 characters/);
    expect(() => clientKey("ann@example.com")).not.toThrow(/ann/);
  });
});

describe("forwardedAddress", () => {
  const header = "6.6.6.6, 203.0.113.7, 10.0.0.2";

  it("counts from the right, where one's own proxies write", () => {
    expect(forwardedAddress(header, 1)).toBe("10.0.0.2");
    expect(forwardedAddress(header, 2)).toBe("203.0.113.7");
    expect(forwardedAddress(header, 3)).toBe("6.6.6.6");
  });

  it("ignores addresses that a client writes to the left", () => {
    const junk = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(junk, v4, v4, (written, client, proxy) => {
        expect(forwardedAddress(`${written}, ${client}, ${proxy}`, 2)).toBe(client);
      }),
      runs(),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, "1"])("refuses %j proxies, which would trust every client", (proxies) => {
    expect(() => forwardedAddress(header, proxies as number)).toThrow(/`trustedProxies`.*at least 1/);
  });

  it.each([[undefined], [null], [""], ["10.0.0.2"], [","]])(
    "refuses %j when two proxies should have written",
    (text) => {
      expect(() => clientKey(forwardedAddress(text, 2))).toThrow(TypeError);
    },
  );
});
