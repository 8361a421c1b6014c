import type { Command } from "@continuum-cache/core";
import type { BackendFailure } from "@continuum-cache/core/kit";
import { type JournalStore, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A store that outlives its transports. */
function shelf(first: readonly string[] = []) {
  let kept = first.map(bytes);
  const store: JournalStore = {
    read: async () => [...kept],
    append: async (records) => void kept.push(...records),
    rewrite: async (records) => {
      kept = [...records];
    },
    close: async () => {},
  };
  return { store, texts: () => kept.map((record) => new TextDecoder().decode(record)) };
}

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});

/** A process whose primary is away. */
function startProcess(store: JournalStore, primary = switchable()) {
  primary.fail("unreachable", { delivery: "none" });
  const transport = withFallback(primary, memoryTransport(), {
    healthCheckInterval: "10ms",
    closeTimeout: "1ms",
    journal: { store },
  });
  const failures: BackendFailure[] = [];
  transport.status?.onFailure?.((failure) => failures.push(failure));
  opened.push(transport);
  return { primary, transport, failures };
}

const never = '{"$never":true}';
const good = `{"kind":"write","write":{"kind":"set","key":"old","value":"1","keepTtl":false,"expiresAtMs":${never}},"atMs":1,"delivery":"none"}`;

describe("a store with records that can't be read", () => {
  it.each([
    ["one without its parts", '{"kind":"write"}'],
    ["one of a later version", '{"kind":"replace-all","x":1}'],
    ["one with a part of another type", good.replace('"1"', "1")],
    ["one with a number that is none", good.replace(never, '{"$int":"x"}')],
    ["one whose kind is inherited", '{"kind":"constructor"}'],
    [
      "one whose write's kind is inherited",
      '{"kind":"write","write":{"kind":"toString","key":"k"},"atMs":1,"delivery":"none"}',
    ],
    ["deletes without counts", '{"kind":"deletes","keys":["a","b"],"mutations":[1]}'],
    ["a confirmation of nothing", '{"kind":"confirm"}'],
    ["no JSON", "hello, secret"],
    ["nothing", ""],
    ["null", "null"],
  ])("goes on with the others, tells of it and keeps writing: %s", async (_, bad) => {
    const { store, texts } = shelf([bad, good, bad]);
    const { transport, failures, primary } = startProcess(store);
    expect(await transport.send([["GET", "old"]])).toEqual(["1"]);
    expect(await transport.send([["SET", "new", "2"]])).toEqual(["OK"]);
    expect(texts().join("")).toContain('"new"');
    expect(failures.map(({ operation, error }) => [operation, error.message])).toEqual([
      ["journal", expect.stringContaining("2 of 3 record(s)")],
    ]);
    expect(String(failures[0]?.error.stack)).not.toContain("secret");
    primary.restore();
    await expect.poll(() => transport.status?.currentBackend).toBe("upstash");
    expect(await primary.store.send([["MGET", "old", "new"]])).toEqual([["1", "2"]]);
    await expect.poll(texts).toEqual([]);
  });

  it("keeps writing with any contents of the store", async () => {
    const part = fc.oneof(
      fc.constantFrom<unknown>("write", "deletes", "invalidate", "forget", "begin", "confirm", "set", "add", "none"),
      fc.jsonValue({ maxDepth: 2 }),
      fc.constant(JSON.parse(good).write),
    );
    const record = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(
        fc.constantFrom(
          "kind",
          "write",
          "atMs",
          "delivery",
          "own",
          "keys",
          "mutations",
          "glob",
          "key",
          "id",
          "batches",
        ),
        part,
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 8 }), async (records) => {
        const { store, texts } = shelf(records.map((one) => JSON.stringify(one)));
        const { transport, primary } = startProcess(store);
        expect(await transport.send([["SET", "durable", "yes"]])).toEqual(["OK"]);
        expect(texts().join("")).toContain('"durable"');
        primary.restore();
        await expect.poll(() => transport.status?.pending, { interval: 2 }).toBe(0);
        expect(await primary.store.send([["GET", "durable"]])).toEqual(["yes"]);
      }),
      runs(200),
    );
  });
});

describe("a journal that the next process restores", () => {
  it("stands for as many mutations as before, and reports the outcome of all", async () => {
    const { store } = shelf();
    const { transport } = startProcess(store);
    const trips: readonly Command[] = [
      ...["1", "2", "3"].map((value): Command => ["SET", "s", value]),
      ["DEL", "s", "gone", "gone"],
      ["SET", "s", "4"],
      ["PEXPIRE", "ended", 1],
      ["INCR", "n"],
      ["INCR", "n"],
      ["RPUSH", "l", "a"],
      ["LPOP", "l"],
      ["SET", "brief", "x", "PX", 1],
    ];
    for (const command of trips) await transport.send([command]);
    await transport.send([["PING"]], { invalidates: ["p:*"] });
    await transport.send([["SET", "p:1", "x"]]);
    await transport.send([["PING"]], { invalidates: ["p:*"] });
    const pending = transport.status?.pending;
    expect(pending).toBe(16);
    const { primary, ...next } = startProcess(store);
    await next.transport.send([["PING"]]);
    expect(next.transport.status?.pending).toBe(pending);
    const recovered = new Promise((resolve) => next.transport.status?.onChange(({ recovery }) => resolve(recovery)));
    primary.restore();
    expect(await recovered).toEqual({ replayed: 16, superseded: 0, dropped: 0 });
    expect(await primary.store.send([["MGET", "s", "n", "p:1", "brief"]])).toEqual([["4", "2", null, null]]);
  });
});
