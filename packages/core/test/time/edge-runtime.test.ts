import { Cache, type Transport } from "@continuum-cache/core";
import { afterEach, expect, it, vi } from "vitest";

afterEach(() => vi.unstubAllGlobals());

/**
 * What the Edge runtime of Next.js puts in the place of Node's functions: they are there, and throw when they are
 * called.
 */
const throwing = (name: string) => () => {
  throw new Error(`A Node.js API is used (${name}) which is not supported in the Edge Runtime`);
};

it("no call of a cache meets a Node function that only throws", async () => {
  const stub: Record<string, unknown> = { env: {} };
  for (const name of Object.getOwnPropertyNames(process)) {
    if (typeof Reflect.get(process, name) === "function") stub[name] = throwing(`process.${name}`);
  }
  vi.stubGlobal("process", stub);
  for (const name of ["setImmediate", "clearImmediate", "MessageChannel", "BroadcastChannel", "CompressionStream"]) {
    vi.stubGlobal(name, throwing(name));
  }
  const stored = new Map<string, string>();
  const transport: Transport = {
    name: "map",
    close: async () => {},
    send: async (commands) =>
      commands.map(([name, key, value]) => {
        if (name === "SET") stored.set(String(key), String(value));
        if (name === "MGET") return [stored.get(String(key)) ?? null];
        return name === "SET" ? "OK" : null;
      }),
  };
  const cache = new Cache({ transport });
  expect(await cache.set("a", 1)).toBe(true);
  expect(await cache.get("a")).toBe(1);
  expect(await cache.getOrSet("b", () => "loaded")).toBe("loaded");
  expect(await cache.getOrSet("b", () => "again")).toBe("loaded");
});
