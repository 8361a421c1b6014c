import { Cache, type Command, type Reply } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";
import { recordingTransport } from "../recording-transport.ts";

interface User {
  name: string;
  tags: string[];
}

/** A Redis that holds strings. */
function stringStore() {
  const held = new Map<string, string>();
  const answer = ([name, key, value, ...rest]: Command): Reply => {
    if (name === "MGET")
      return [key, value, ...rest].filter((k) => k !== undefined).map((k) => held.get(String(k)) ?? null);
    if (name === "SET") held.set(String(key), String(value));
    return "OK";
  };
  return { held, transport: recordingTransport(answer) };
}

describe("callers of one load", () => {
  const load = async (): Promise<User> => ({ name: "Ada", tags: [] });

  it.each(["that loads", "that finds the value"])("get an object each from a getOrSet %s", async (kind) => {
    const { transport, held } = stringStore();
    const cache = new Cache({ transport });
    if (kind === "that finds the value") held.set("u", '{"name":"Ada","tags":[]}');
    const users = await Promise.all([1, 2, 3].map(() => cache.getOrSet("u", load)));
    for (const [index, user] of users.entries()) user.tags.push(`of ${index}`);
    expect(users.map(({ tags }) => tags)).toEqual([["of 0"], ["of 1"], ["of 2"]]);
    expect(await cache.get("u")).toEqual({ name: "Ada", tags: [] });
  });

  it("do not get the loader's own object, so the loader may keep it", async () => {
    const own = { name: "Ada", tags: [] as string[] };
    const { transport } = stringStore();
    const user = await new Cache({ transport }).getOrSet("u", () => own);
    user.tags.push("changed");
    expect(own.tags).toEqual([]);
  });

  it("get the first time what they get from the cache", async () => {
    const { transport } = stringStore();
    const cache = new Cache({ transport });
    const loader = () => ({ kept: -0, left: undefined }) as { kept: number; left?: undefined };
    const first = await cache.getOrSet("k", loader);
    expect(first).toStrictEqual({ kept: 0 });
    expect(await cache.getOrSet("k", loader)).toStrictEqual(first);
  });

  it("get objects of their own also when the value was too large to be stored", async () => {
    const { transport, held } = stringStore();
    const cache = new Cache({ transport, maxValueBytes: 10 });
    const [one, other] = await Promise.all([1, 2].map(() => cache.getOrSet("u", load)));
    expect(one).toEqual(other);
    expect(one).not.toBe(other);
    expect(held.size).toBe(0);
  });

  it("of several reads in one tick get an object each", async () => {
    const { transport, held } = stringStore();
    held.set("u", '{"name":"Ada","tags":[]}');
    const cache = new Cache({ transport });
    const [one, other] = await Promise.all([cache.get<User>("u"), cache.get<User>("u")]);
    const [third, fourth] = await cache.getMany<User>(["u", "u"]);
    expect(new Set([one, other, third, fourth]).size).toBe(4);
    expect(transport.trips).toHaveLength(2);
  });
});
