import { keys, UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgram, createWarmer, type Knowledge, type Program, type Warmer } from "../src/index.ts";

const knowledge: Knowledge = {
  conceptCount: 1,
  termCount: 1,
  normalize: (text) => text,
  search: () => [
    { conceptId: "n00000001", partOfSpeech: "noun", lemmas: ["one"], gloss: "one", score: 1, relationCounts: {} },
  ],
  memory: vi.fn((id: string) => ({
    conceptId: id,
    partOfSpeech: "noun" as const,
    lemmas: ["one"],
    gloss: "one",
    relations: [],
  })),
};

describe("the best result of a search", () => {
  const announcer = { memory: vi.fn(), session() {}, search() {}, async idle() {} };
  let cache: UpstashCache;
  let program: Program;
  let warmers: readonly Warmer[];
  const errors: string[] = [];
  beforeAll(() => {
    cache = new UpstashCache({ mode: "local", env: {} });
    // Two servers share one Redis.
    warmers = [0, 1].map(() => createWarmer({ cache, knowledge, announcer, logError: (line) => errors.push(line) }));
    const [warmer] = warmers;
    program = createProgram({ cache, knowledge, server: undefined, announcer, ...(warmer && { warmer }) });
  });
  beforeEach(() => vi.clearAllMocks());
  afterAll(async () => {
    for (const each of warmers) await each.close();
    await cache.close();
  });
  const get = async (path: string) => (await program.request(path)).json();

  it("is loaded ahead once, and announced", async () => {
    await get("/api/search?q=a");
    await get("/api/search?q=b");
    await expect.poll(() => cache.get(keys.memory({ conceptId: "n00000001" }))).toBeDefined();
    expect(await get("/api/memories/n00000001")).toMatchObject({ cache: "hit" });
    await expect.poll(() => warmers[0]?.stats()).toMatchObject({ depth: 0, inFlight: 0, dead: 0 });
    expect(knowledge.memory).toHaveBeenCalledTimes(1);
    expect(announcer.memory.mock.calls.filter(([{ type }]) => type === "memory_updated")).toEqual([
      [{ type: "memory_updated", memory_id: "n00000001", title: "one" }],
    ]);
    expect(errors).toEqual([]);
  });

  it("leaves an empty queue on the dashboard", async () => {
    expect(await get("/api/stats")).toMatchObject({ queue: { depth: 0, inFlight: 0, dead: 0, pending: 0 } });
  });
});
