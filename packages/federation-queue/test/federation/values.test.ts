import { type Duration, json } from "@continuum-cache/core";
import { msgpack } from "@continuum-cache/core/msgpack";
import { describe, expect, it } from "vitest";
import { relay } from "../../src/relay/relay.ts";
import { all, closing, waitFor } from "../log/logs.ts";
import { type Instance, type InstanceOptions, instanceOn } from "./caches.ts";

const opened = closing();
let count = 0;

/** Two databases, an instance on each, and relays between them. */
describe.each(all)("values on $name", (backend) => {
  async function two(options: InstanceOptions = {}, others: InstanceOptions = options) {
    const servers = await Promise.all([backend.open(), backend.open()]);
    for (const server of servers) opened(server);
    const [east, west] = servers as [(typeof servers)[0], (typeof servers)[0]];
    const key = `fed:values-${++count}`;
    for (const [from, to] of [
      [east, west],
      [west, east],
    ] as const) {
      opened(relay({ transport: from.connect() }, { transport: to.connect() }, { key, pollInterval: "500ms" }));
    }
    const a = instanceOn(opened, east.connect(), "a", key, { values: true, ...options });
    const b = instanceOn(opened, west.connect(), "b", key, { values: true, ...others });
    return { a, b, key, east, west };
  }
  const applied = (instance: Instance, times: number) =>
    waitFor(() => expect(instance.emitted.applied.length).toBe(times));

  it("are set everywhere, alone and in pipelines, with their expiry", async () => {
    const { a, b } = await two();
    await a.shared.set("memory:1", { x: 1 }, { ttl: "10m" });
    await a.shared.set("memory:for-ever", null, { ttl: Number.POSITIVE_INFINITY });
    await a.shared.setMany({ "memory:2": "two\nlines", "memory:3": [3] }, { ttl: 90 });
    await a.shared.pipeline().set("memory:4", "é😀").set("other", 1).set("memory:4", 4).execute();
    await applied(b, 5);
    const keys = ["memory:1", "memory:2", "memory:3", "memory:4", "other"];
    expect(await b.cache.getMany(keys)).toEqual([{ x: 1 }, "two\nlines", [3], 4, undefined]);
    expect(await b.cache.get("memory:for-ever")).toBeNull();
    const ttls = await Promise.all(["memory:1", "memory:2", "memory:for-ever"].map((key) => b.cache.ttl(key)));
    expect(ttls[0]).toBeGreaterThan(590);
    expect(ttls[0]).toBeLessThanOrEqual(600);
    expect(ttls[1]).toBeGreaterThan(80);
    expect(ttls[2]).toBe(-1);
  });

  it("are not set elsewhere when a condition kept them from being set here", async () => {
    const { a, b } = await two();
    expect(await a.shared.set("memory:1", "first", { nx: true })).toBe(true);
    expect(await a.shared.set("memory:1", "second", { nx: true })).toBe(false);
    expect(await a.shared.set("memory:2", "none", { xx: true })).toBe(false);
    await a.shared.set("memory:3", 3, { ttl: "10m" });
    await a.shared.set("memory:3", "kept", { keepTtl: true });
    await applied(b, 3);
    expect(await b.cache.getMany(["memory:1", "memory:2", "memory:3"])).toEqual(["first", undefined, "kept"]);
    expect(await b.cache.ttl("memory:3")).toBeGreaterThan(590);
    expect(await a.cache.ttl("memory:3")).toBeGreaterThan(590);
  });

  it("travel as their codec wrote them, and are deleted where no codec can read them", async () => {
    const { a, b } = await two({ cache: { codec: msgpack() } });
    const value = { at: new Date(7), big: 12n, bytes: new Uint8Array([0, 255]) };
    await a.shared.set("memory:1", value);
    await applied(b, 1);
    expect(await b.cache.get("memory:1")).toEqual(value);

    const other = await two({ cache: { codec: msgpack() } }, { cache: { codec: json() } });
    await other.b.cache.set("memory:1", "older");
    await other.a.shared.set("memory:1", value);
    await applied(other.b, 1);
    expect(await other.b.cache.get("memory:1")).toBeUndefined();
    expect(other.b.emitted.error).toEqual([]);
  });

  it("that are too large for the log travel as a delete", async () => {
    const { a, b } = await two({ log: { maxEventBytes: 2_000 } });
    await b.cache.setMany({ "memory:1": "older", "memory:2": "older" });
    expect(await a.shared.setMany({ "memory:1": "x".repeat(5_000), "memory:2": "small" })).toBe(true);
    await applied(b, 2);
    expect(await b.cache.getMany(["memory:1", "memory:2"])).toEqual([undefined, "small"]);
    const keys = Array.from({ length: 300 }, (_, at) => `memory:long-name-${at}`);
    await b.cache.setMany(Object.fromEntries(keys.map((key) => [key, 1])));
    await a.shared.delete(...keys);
    await waitFor(async () => expect(await b.cache.getMany(keys)).toEqual(keys.map(() => undefined)));
    expect(await b.cache.get("memory:2")).toBe("small");
  });

  it("do not come back when they arrive after a later delete, by key or by pattern", async () => {
    const { a, b, east, key } = await two();
    await a.shared.set("memory:1", "new");
    await a.shared.set("memory:2", "new");
    await a.shared.set("memory:q:3", "new");
    await applied(b, 3);
    await b.shared.delete("memory:1");
    await b.shared.deletePattern("memory:q:*");
    await applied(a, 2);
    // A third region that was cut off publishes what it had set before all that.
    const at = (Date.now() - 60_000) * 1_024;
    const c = instanceOn(opened, east.connect(), "c", key, { values: true });
    for (const one of ["memory:1", "memory:2", "memory:q:3", "memory:q:4", "memory:5"]) {
      await c.log.append({ type: "fed.set", key: one, value: '"old"', at });
    }
    await applied(a, 7);
    await applied(b, 8);
    const keys = ["memory:1", "memory:2", "memory:q:3", "memory:q:4", "memory:5"];
    const expected = [undefined, "new", undefined, undefined, "old"];
    for (const { cache } of [a, b]) expect(await cache.getMany(keys)).toEqual(expected);
    // An instance that starts later on the same database knows the patterns too.
    const late = instanceOn(opened, east.connect(), "late", key, { values: true, from: "now" });
    await waitFor(async () => expect((await late.log.stats()).origins["c"]?.behind).toBe(0));
    await c.log.append({ type: "fed.set", key: "memory:q:3", value: '"old"', at });
    await applied(late, 1);
    expect(await late.cache.get("memory:q:3")).toBeUndefined();
  });

  it("from an in-flight loader do not replace what was set elsewhere meanwhile", async () => {
    const { a, b } = await two();
    let finish: (value: string) => void = () => {};
    const loading = b.shared.getOrSet(
      "memory:1",
      () =>
        new Promise<string>((resolve) => {
          finish = resolve;
        }),
    );
    await waitFor(() => expect(b.cache.stats().loads).toBe(1));
    await a.shared.set("memory:1", "newer");
    await applied(b, 1);
    finish("older");
    expect(await loading).toBe("older");
    await b.cache.flush();
    expect(await b.cache.get("memory:1")).toBe("newer");
    // A loaded value is not shared.
    await b.shared.getOrSet("memory:2", () => "mine");
    expect(await a.cache.get("memory:2")).toBeUndefined();
  });

  it("expire everywhere at the same time, and are not set where they have expired on the way", async () => {
    const { a, b, east, key } = await two();
    await b.cache.set("memory:1", "older");
    const c = instanceOn(opened, east.connect(), "c", key, { values: true });
    await c.log.append({
      type: "fed.set",
      key: "memory:1",
      value: '"old"',
      endMs: Date.now() - 1_000,
      at: Date.now() * 1_024,
    });
    await applied(b, 1);
    expect(await b.cache.get("memory:1")).toBeUndefined();
    const ttl: Duration = "1500ms";
    await a.shared.set("memory:2", "short", { ttl });
    await applied(b, 2);
    expect(await b.cache.get("memory:2")).toBe("short");
    await waitFor(async () => expect(await b.cache.get("memory:2")).toBeUndefined());
  });

  it("cost 5 more commands where they are set, and 4 where they arrive", async () => {
    const { a, b, east, west } = await two();
    await a.shared.set("memory:1", 1);
    await applied(b, 1);
    await Promise.all([east, west].map(({ redis }) => redis?.resetStats()));
    await a.shared.set("memory:1", 2);
    await applied(b, 2);
    const [here, there] = await Promise.all([east, west].map(({ redis }) => redis?.commandStats()));
    // Here: SET as asked; then the script with TIME, GET, and SET of the value and its clock.
    if (here) expect([here["set"], here["get"], here["time"]]).toEqual([3, 1, expect.any(Number)]);
    if (there) expect([there["set"], there["get"]]).toEqual([2, 1]);
  });

  it("are applied as deletes by a federation without values", async () => {
    const { a, b } = await two({}, { values: false });
    await b.cache.set("memory:1", "older");
    await a.shared.set("memory:1", "newer");
    await applied(b, 1);
    expect(await b.cache.get("memory:1")).toBeUndefined();
    await a.cache.set("memory:2", "there");
    await b.shared.delete("memory:2");
    await applied(a, 1);
    expect(await a.cache.get("memory:2")).toBeUndefined();
  });
});
