import { escapeGlob, type Reply, type Transport } from "@continuum-cache/core";
import { errorWith, expectReply, show } from "../expect/expect-reply.ts";
import { exchange, one, type TransportCase } from "./transport-case.ts";

/** Collects all results of a cursor command. */
async function scanAll(
  transport: Transport,
  command: (cursor: string) => readonly [string, ...string[]],
): Promise<string[]> {
  const found: string[] = [];
  let cursor = "0";
  for (let step = 0; step < 10_000; step++) {
    const page: Reply | undefined = await one(transport, ...command(cursor));
    if (!Array.isArray(page) || typeof page[0] !== "string" || !Array.isArray(page[1])) {
      throw new Error(`expected [cursor, [...]], got ${show(page)}`);
    }
    found.push(...(page[1] as string[]));
    cursor = page[0];
    if (cursor === "0") return found;
  }
  throw new Error("expected the cursor to come back to 0");
}

const sorted = (texts: Iterable<string>): string[] => [...texts].sort();

/** Finding keys and fields. */
export const scanCases: readonly TransportCase[] = [
  {
    title: "SCAN with MATCH and COUNT finds every key that matches, and only those",
    async run(transport, key) {
      const wanted = Array.from({ length: 250 }, (_, index) => key(`in:${index}`));
      const others = Array.from({ length: 50 }, (_, index) => key(`out:${index}`));
      await transport.send([...wanted, ...others].map((name) => ["SET", name, 1] as const));
      const glob = `${escapeGlob(key("in:"))}*`;
      for (const count of ["7", "1000"]) {
        const found = await scanAll(transport, (cursor) => ["SCAN", cursor, "MATCH", glob, "COUNT", count]);
        expectReply(sorted(new Set(found)), sorted(wanted));
      }
      expectReply(sorted((await one(transport, "KEYS", glob)) as string[]), sorted(wanted));
      expectReply(await one(transport, "DEL", ...wanted, ...others), 300);
    },
  },
  {
    title: "SCAN with TYPE finds only that type",
    async run(transport, key) {
      await transport.send([
        ["SET", key("s"), 1],
        ["RPUSH", key("l"), 1],
        ["HSET", key("h"), "f", 1],
      ]);
      const glob = `${escapeGlob(key(""))}*`;
      const found = await scanAll(transport, (cursor) => [
        "SCAN",
        cursor,
        "MATCH",
        glob,
        "COUNT",
        "1000",
        "TYPE",
        "list",
      ]);
      expectReply([...new Set(found)], [key("l")]);
    },
  },
  {
    title: "globs know *, ?, sets, ranges, negation and escapes",
    async run(transport, key) {
      const names = ["a1", "a2", "b1", "a*", "a[", "ab"];
      const globs = {
        "a?": ["a1", "a2", "a*", "a[", "ab"],
        "a[12]": ["a1", "a2"],
        "[^a]*": ["b1"],
        "a\\*": ["a*"],
        "a[0-9]": ["a1", "a2"],
      };
      await transport.send(names.map((name) => ["SET", key(name), 1] as const));
      for (const [glob, expected] of Object.entries(globs)) {
        const found = await one(transport, "KEYS", escapeGlob(key("")) + glob);
        expectReply(sorted(found as string[]), sorted(expected.map(key)));
      }
    },
  },
  {
    title: "HSCAN hands out every field with its value",
    async run(transport, key) {
      const fields = Array.from({ length: 300 }, (_, index) => [`f${index}`, `v${index}`]).flat();
      expectReply(await one(transport, "HSET", key("h"), ...fields), 300);
      const found = await scanAll(transport, (cursor) => ["HSCAN", key("h"), cursor, "COUNT", "20"]);
      const pairs = new Map(
        found.flatMap((field, index) => (index % 2 === 0 ? [[field, found[index + 1]] as const] : [])),
      );
      expectReply(sorted([...pairs].flat() as string[]), sorted(fields));
      const few = await scanAll(transport, (cursor) => ["HSCAN", key("h"), cursor, "MATCH", "f29?", "COUNT", "1000"]);
      expectReply(
        sorted(few.filter((text) => text.startsWith("f"))),
        sorted(Array.from({ length: 10 }, (_, index) => `f29${index}`)),
      );
    },
  },
  exchange("SCAN refuses an invalid cursor", () => [
    [["SCAN", "nowhere"], errorWith("ERR", /invalid cursor/)],
    [["SCAN", 0, "COUNT", 0], errorWith("ERR", /syntax error/)],
    [["SCAN", 0, "NO-SUCH-OPTION", 1], errorWith("ERR", /syntax error/)],
  ]),
];
