import { UpstashCache } from "continuum-cache";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { onTheEdge, vanishing } from "../../../packages/core/test/edge.ts";
import { createAnswers } from "../src/answers.ts";
import { createAnnouncer } from "../src/live/announcer.ts";
import { createServerFacts } from "../src/server-facts.ts";
import { createSessions, type RecentSearch } from "../src/sessions.ts";
import { noWarmer } from "../src/warming/warmer.ts";

/** The work of a request that has ended in a Worker: it neither resolves nor rejects. */
const never = (): Promise<never> => new Promise(() => {});

describe("the work of a request that vanished", () => {
  let cache: UpstashCache;
  beforeEach(() => {
    cache = new UpstashCache({ mode: "local", env: {} });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTheEdge();
  });
  afterEach(async () => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
    vi.restoreAllMocks();
    await cache.close();
  });
  const soon = async <Value>(work: Promise<Value>): Promise<Value> => {
    await vi.advanceTimersByTimeAsync(1_000);
    return work;
  };

  it("does not keep a later request from the server's facts", async () => {
    const info = vi.spyOn(cache, "info").mockImplementationOnce(never);
    const facts = createServerFacts(cache, noWarmer);
    vanishing(() => void facts.latest());
    expect((await soon(facts.latest())).info?.keys).toBe(0);
    expect((await facts.latest()).info?.keys).toBe(0);
    expect(info).toHaveBeenCalledTimes(2);
  });

  it("does not keep the session from remembering a later search", async () => {
    const sessions = createSessions(cache);
    const { id } = await soon(sessions.start());
    const search = (query: string): RecentSearch => ({ query, cache: "hit", ms: 1, at: "2026-01-01T00:00:00.000Z" });
    vi.spyOn(cache, "get").mockImplementationOnce(never);
    vanishing(() => void sessions.record(id, search("abandoned")));
    expect(await soon(sessions.record(id, search("later")))).toBe(true);
    expect((await soon(sessions.find(id)))?.recent.map(({ query }) => query)).toEqual(["later"]);
  });

  it("does not hold up the announcer", async () => {
    const publish = vi.fn().mockImplementationOnce(never).mockResolvedValue({ receivers: 0 });
    const announcer = createAnnouncer({ publish }, () => {});
    vanishing(() => announcer.session({ type: "session_started" }));
    announcer.session({ type: "session_updated" });
    await soon(announcer.idle());
    expect(publish).toHaveBeenCalledTimes(2);
  });

  it("does not mark a later answer as a miss", async () => {
    const answers = createAnswers(cache);
    vi.spyOn(cache, "getOrSet").mockImplementationOnce((key, load) => {
      load({ key, stale: undefined, signal: new AbortController().signal });
      return never();
    });
    vanishing(() => void answers.get("query:a", () => "abandoned"));
    await soon(cache.set("query:a", "stored"));
    expect(await soon(answers.get("query:a", () => "loaded"))).toMatchObject({ cache: "hit", value: "stored" });
  });
});

describe("the announcer", () => {
  it("is idle once every event is published", async () => {
    let publish: () => void = () => {};
    const announcer = createAnnouncer({ publish: () => new Promise<void>((resolve) => (publish = resolve)) }, () => {});
    announcer.session({ type: "session_started" });
    let isIdle = false;
    const idle = announcer.idle().then(() => {
      isIdle = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isIdle).toBe(false);
    publish();
    await idle;
  });
});
