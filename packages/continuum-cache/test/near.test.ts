import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { nearCache } from "@continuum-cache/near-cache";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UpstashCache } from "../src/index.ts";

describe("the option near", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());

  const announced = async (): Promise<unknown[]> => {
    const entries = (await server.command("XRANGE", "continuum:invalidations", "-", "+")) as [string, unknown[]][];
    return entries.flatMap(([, fields]) => fields);
  };

  it.each([
    ["true", true],
    ["options", { maxStaleness: "1h" }],
    ["a near cache", nearCache({ maxStaleness: "1h" })],
  ] as const)("as %s announces the first write, and holds what was read", async (name, near) => {
    const cache = new UpstashCache({ url: server.url, near, env: {} });
    const key = `key of ${name}`;
    const [isSet, value] = await Promise.all([cache.set(key, 1), cache.get(key)]);
    expect([isSet, value]).toEqual([true, 1]);
    expect(await announced()).toContain(key);
    await expect.poll(async () => [await cache.get(key), cache.peek(key)]).toEqual([1, 1]);
    expect(cache.stats().near?.entries).toBe(1);
    void cache.set("last", 1);
    await cache.close();
    expect(cache.peek(key)).toBeUndefined();
    expect(await announced()).toContain("last");
  });

  it("rejects what is no option, and names the closest", async () => {
    expect(() => new UpstashCache({ url: server.url, near: "yes" as never, env: {} })).toThrow('got "yes"');
    const cache = new UpstashCache({ url: server.url, near: { maxStalenes: "1s" } as never, env: {} });
    await expect(cache.get("key")).rejects.toThrow("Did you mean `maxStaleness`?");
    await cache.close();
  });

  it("means nothing where the memory of the process is the only backend", async () => {
    const cache = new UpstashCache({ mode: "local", near: true, env: {} });
    await cache.set("key", 1);
    expect(await cache.get("key")).toBe(1);
    expect(cache.stats().near).toBeUndefined();
    await cache.close();
  });
});
