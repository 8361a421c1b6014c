import { UpstashCache } from "continuum-cache";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createProgram, createWatch, type PrimarySwitch } from "../src/index.ts";
import { createDurations } from "../src/watch/durations.ts";
import { knowledge } from "./empty-knowledge.ts";

describe("durations", () => {
  it("are reported as percentiles, and start again from none", () => {
    const durations = createDurations();
    for (let ms = 1; ms <= 100; ms++) durations.add(ms);
    expect(durations.take()).toEqual({ p50: 50, p95: 95, p99: 99 });
    expect(durations.take()).toBeUndefined();
    durations.add(7);
    expect(durations.take()).toEqual({ p50: 7, p95: 7, p99: 7 });
  });

  it("of a busy stretch are a sample of all", () => {
    const durations = createDurations();
    for (let count = 0; count < 100_000; count++) durations.add(count % 100);
    const { p50 = 0, p99 = 0 } = durations.take() ?? {};
    expect(p50).toBeGreaterThan(35);
    expect(p50).toBeLessThan(65);
    expect(p99).toBeGreaterThan(90);
  });
});

describe("the watch", () => {
  let cache: UpstashCache;
  beforeEach(() => {
    cache = new UpstashCache({ mode: "local", env: {} });
  });
  afterEach(() => cache.close());

  it("has a sample for each stretch of five seconds", async () => {
    let now = 1_000_000;
    const watch = createWatch(cache, () => now);
    const program = createProgram({ cache, knowledge, server: undefined, watch });
    await program.request("/api/search?q=a");
    await program.request("/api/search?q=a");
    now += 4_999;
    expect(watch.seen().samples).toEqual([]);
    now += 1;
    const { samples, requests } = watch.seen();
    expect(requests).toBe(2);
    expect(samples).toMatchObject([
      {
        atMs: 1_005_000,
        requestsPerSecond: 2 / 5,
        hitRate: 1 / 2,
        errors: 0,
        limited: 0,
        backend: "local",
        pending: 0,
      },
    ]);
    expect(samples[0]?.answers?.p99).toBeGreaterThan(0);
    now += 5_000;
    expect(watch.seen().samples[1]).toMatchObject({ commandsPerSecond: 0, hitRate: null, answers: null });
    for (let count = 0; count < 200; count++) {
      now += 5_000;
      watch.sample();
    }
    expect(watch.seen().samples).toHaveLength(120);
  });
});

describe("the switch of the demo's own server", () => {
  let cache: UpstashCache;
  const state = { isCut: false };
  const primary: PrimarySwitch = {
    get isCut() {
      return state.isCut;
    },
    cut() {
      state.isCut = true;
    },
    restore() {
      state.isCut = false;
    },
  };
  const put = (own: PrimarySwitch | undefined, body: unknown) =>
    createProgram({ cache, knowledge, server: undefined, ...(own && { primary: own }) }).request("/api/primary", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  beforeEach(() => {
    cache = new UpstashCache({ mode: "local", env: {} });
  });
  afterEach(() => cache.close());

  it("cuts it off and restores it, and is missing for a server that is not the demo's own", async () => {
    expect(await (await put(primary, { cut: true })).json()).toEqual({ isCut: true });
    expect(state.isCut).toBe(true);
    expect(await (await put(primary, { cut: false })).json()).toEqual({ isCut: false });
    expect((await put(primary, { cut: "yes" })).status).toBe(400);
    expect((await put(primary, "x".repeat(2_000))).status).toBe(413);
    expect((await put(undefined, { cut: true })).status).toBe(409);
  });
});
