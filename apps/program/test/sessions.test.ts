import { UpstashCache } from "continuum-cache";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAnswers } from "../src/answers.ts";
import { createServerFacts } from "../src/server-facts.ts";
import { createSessions, type RecentSearch } from "../src/sessions.ts";
import { noWarmer } from "../src/warming/warmer.ts";

let cache: UpstashCache;
beforeEach(() => {
  cache = new UpstashCache({ mode: "local", env: {} });
});
afterEach(() => cache.close());

const searchFor = (query: string): RecentSearch => ({ query, cache: "hit", ms: 1, at: "2026-01-01T00:00:00.000Z" });

describe("a session", () => {
  it("keeps all searches of the same time, and the latest twenty of many", async () => {
    const sessions = createSessions(cache);
    const { id } = await sessions.start();
    const queries = Array.from({ length: 25 }, (_, number) => `query ${number}`);
    await Promise.all(queries.map((query) => sessions.record(id, searchFor(query))));
    const kept = (await sessions.find(id))?.recent.map(({ query }) => query);
    expect(kept).toEqual(queries.slice(5).reverse());
    expect(await cache.ttl(`session:${id}`)).toBeGreaterThan(3_500);
  });

  it("stays away when a search comes after it has expired", async () => {
    const sessions = createSessions(cache);
    expect(await sessions.record("gone", searchFor("lake"))).toBe(false);
    expect(await sessions.find("gone")).toBeUndefined();
  });
});

describe("an answer", () => {
  it("is a miss for all callers that share a load, and a hit for a later caller", async () => {
    const answers = createAnswers(cache);
    let loads = 0;
    const get = () => answers.get("query:x", () => ++loads);
    const outcomes = (await Promise.all([get(), get(), get()])).map((answer) => answer.cache);
    expect(outcomes).toEqual(["miss", "miss", "miss"]);
    expect(loads).toBe(1);
    expect(await get()).toMatchObject({ cache: "hit", value: 1 });
  });
});

describe("the server's facts", () => {
  it("cost commands only after another command, for any number of callers", async () => {
    const facts = createServerFacts(cache, noWarmer);
    await cache.set("a", 1);
    const before = cache.stats().commands;
    await Promise.all([facts.latest(), facts.latest()]);
    expect((await facts.latest()).info?.keys).toBe(1);
    expect(cache.stats().commands - before).toBe(2);
    await cache.set("b", 2);
    expect((await facts.latest()).info?.keys).toBe(2);
  });
});
