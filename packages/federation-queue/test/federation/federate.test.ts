import { describe, expect, it } from "vitest";
import { all, closing, waitFor } from "../log/logs.ts";
import { type InstanceOptions, instanceOn } from "./caches.ts";

const opened = closing();
let count = 0;

describe.each(all)("deletes on $name", (backend) => {
  /** Instances of one region: each has its own connection to the same database. */
  async function three(options: InstanceOptions = {}) {
    const server = opened(await backend.open());
    const key = `fed:test-${++count}`;
    const open = (name: string, more: InstanceOptions = {}) =>
      instanceOn(opened, server.connect(), name, key, { ...options, ...more });
    return { ...server, key, open, instances: [open("a"), open("b"), open("c")] as const };
  }

  it("reach an in-flight loader on another instance: callers get the value, the cache does not store it", async () => {
    const { instances } = await three();
    const [a, b] = instances;
    let finish: (value: string) => void = () => {};
    const loading = b.shared.getOrSet(
      "memory:1",
      () =>
        new Promise<string>((resolve) => {
          finish = resolve;
        }),
    );
    await waitFor(() => expect(b.cache.stats().loads).toBe(1));
    await a.shared.delete("memory:1");
    await waitFor(() => expect(b.emitted.applied.length).toBe(1));
    finish("old");
    expect(await loading).toBe("old");
    await b.cache.flush();
    expect(await a.cache.get("memory:1")).toBeUndefined();
    expect(await b.shared.getOrSet("memory:1", () => "new")).toBe("new");
  });

  it("reach it by pattern too, also when the key does not exist yet", async () => {
    const { instances } = await three();
    const [a, b] = instances;
    let finish: (value: string) => void = () => {};
    const loading = b.cache.getOrSet(
      "memory:user:1",
      () =>
        new Promise<string>((resolve) => {
          finish = resolve;
        }),
    );
    await waitFor(() => expect(b.cache.stats().loads).toBe(1));
    await a.shared.deletePattern("memory:user:*");
    await waitFor(() => expect(b.emitted.applied.length).toBe(1));
    finish("old");
    await loading;
    await b.cache.flush();
    expect(await a.cache.get("memory:user:1")).toBeUndefined();
  });

  it("return their local result, alone, in pipelines and in transactions, and publish only keys in scope", async () => {
    const { instances } = await three();
    const [a, b, c] = instances;
    await a.cache.setMany({ "memory:1": 1, "memory:2": 2, "memory:3": 3, "other:1": 4 });
    expect(await a.shared.delete("memory:1", "other:1", "memory:none")).toBe(2);
    expect(await a.shared.pipeline().get("memory:2").delete("memory:2").execute()).toEqual([2, 1]);
    expect(await a.shared.transaction().delete("memory:3").delete("other:2").execute()).toEqual([1, 0]);
    expect(await a.shared.delete("other:3")).toBe(0);
    expect(await a.shared.set("memory:4", 1)).toBe(true);
    await waitFor(() => {
      expect(b.emitted.applied.length).toBe(3);
      expect(c.emitted.applied.length).toBe(3);
    });
    expect((await a.log.stats()).origins["a"]?.lastSeq).toBe(3);
    expect(await a.cache.get("memory:4")).toBe(1);
    for (const { emitted } of instances) expect(emitted.error).toEqual([]);
  });

  it("work with key prefixes that differ between instances", async () => {
    const { open } = await three();
    const [x, y] = [open("x", { cache: { keyPrefix: "one-[x]:" } }), open("y", { cache: { keyPrefix: "two:" } })];
    await Promise.all(
      [x, y].map(({ cache }) => cache.setMany({ "memory:a": 1, "memory:b:1": 2, "memory:b:2": 3, other: 4 })),
    );
    await x.shared.delete("memory:a");
    await x.shared.deletePattern("memory:b:*");
    await waitFor(async () =>
      expect(await y.cache.getMany(["memory:a", "memory:b:1", "memory:b:2"])).toEqual([
        undefined,
        undefined,
        undefined,
      ]),
    );
    expect(await y.cache.get("other")).toBe(4);
  });

  it("narrow a pattern that reaches beyond the scope to the scope on other instances", async () => {
    const { open } = await three();
    const [x, y] = [open("x", { cache: { keyPrefix: "p:" } }), open("y", { cache: { keyPrefix: "q:" } })];
    await Promise.all([x, y].map(({ cache }) => cache.setMany({ "memory:a": 1, other: 4 })));
    expect(await x.shared.deletePattern("*")).toBe(2);
    await waitFor(async () => expect(await y.cache.get("memory:a")).toBeUndefined());
    expect(await y.cache.get("other")).toBe(4);
  });

  it("keep the cache's views and stats, and the original cache bypasses the federation", async () => {
    const { instances } = await three();
    const [a, b] = instances;
    await a.shared.with({ timeout: "2s" }).delete("memory:1");
    await waitFor(() => expect(b.emitted.applied.length).toBe(1));
    await a.cache.delete("memory:2");
    await a.shared.set("memory:3", 3);
    expect(await a.cache.get("memory:3")).toBe(3);
    expect(a.cache.stats().hits).toBe(a.shared.stats().hits);
    expect(a.shared.federation.pending).toBe(0);
    await a.shared.close();
    await a.shared.close();
    expect(await a.cache.ping()).toBe(true);
    expect(b.emitted.applied.length).toBe(1);
  });

  it("skip events of other programs in the same log, and malformed changes", async () => {
    const { instances, open } = await three();
    const [, b] = instances;
    const odd = open("odd");
    for (const event of [
      null,
      7,
      { type: "fed.delete", keys: [1] },
      { type: "fed.set", key: "memory:1" },
      { type: "hello" },
    ]) {
      await odd.log.append(event);
    }
    await odd.shared.delete("memory:1");
    await waitFor(() => expect(b.emitted.applied.length).toBe(6));
    expect(b.emitted.error).toEqual([]);
  });

  it("cost one event, and one more command on each other instance", async () => {
    const { instances, redis } = await three();
    const [a, b, c] = instances;
    await a.shared.delete("memory:0");
    await waitFor(() => expect([b, c].map(({ emitted }) => emitted.applied.length)).toEqual([1, 1]));
    await redis?.resetStats();
    await a.shared.delete(...Array.from({ length: 400 }, (_, at) => `memory:${at}`));
    await waitFor(() => expect([b, c].map(({ emitted }) => emitted.applied.length)).toEqual([2, 2]));
    const stats = await redis?.commandStats();
    if (stats) expect(stats).toMatchObject({ del: 3, xadd: 1 });
  });
});

it("rejects invalid options before sending anything", async () => {
  const [server] = await Promise.all(all.slice(2).map((backend) => backend.open()));
  const transport = opened(server as NonNullable<typeof server>).connect();
  const open = (options: object) => () => instanceOn(opened, transport, "a", "fed:test", options);
  expect(open({ scope: "*" })).toThrow(/Expected `scope` to name keys of the cache only.*"\*"/);
  expect(open({ scope: "fed:*", values: true })).toThrow(/narrow it/);
  expect(open({ scope: "" })).toThrow(/a pattern such as "memory:\*", or a list of such, got ""/);
  expect(open({ scope: [] })).toThrow(/an empty list/);
  expect(open({ values: "yes" })).toThrow(/`values`/);
  expect(open({ from: "there" })).toThrow(/`from`/);
  expect(open({ value: true })).toThrow(/Did you mean `values`/);
  expect(open({ retention: "soon" })).toThrow(/`retention`/);
  for (const wrong of [{ value: true }, { scope: "" }, { values: "yes" }, { from: "there" }, { clockPrefix: "*" }]) {
    expect(open(wrong)).toThrow(expect.objectContaining({ name: "ConfigError" }));
  }
  expect(open({ scope: "*", cache: { keyPrefix: "app:" } })).not.toThrow();
});
