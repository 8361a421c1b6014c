import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache } from "continuum-cache";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FlightReport, FlightTask } from "./flight-process.ts";
import { type FlightProcess, startProcesses } from "./processes.ts";

type Connection = FlightTask["options"];
let processes: FlightProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.map((process) => process.kill()));
  processes = [];
});

const sum = (reports: readonly FlightReport[], measure: "loads" | "commands"): number =>
  reports.reduce((all, report) => all + report[measure], 0);

describe("over REST, where the server knows IFEQ", () => {
  let server: UpstashLocal;
  let options: Connection;
  beforeAll(async () => {
    server = await startUpstashLocal({ port: 0, token: "local" });
    options = { restUrl: server.url, restToken: "local", env: {} };
  });
  afterAll(() => server.close());
  const stored = async (key: string) => {
    const answer = await fetch(`${server.url}/get/${key}`, { headers: { authorization: "Bearer local" } });
    return ((await answer.json()) as { result: unknown }).result;
  };

  it("one of eight processes with a thousand callers each loads a cold key, at the promised cost", async () => {
    processes = await startProcesses(8);
    const task: FlightTask = { options, key: "cold", callers: 1_000, loadMs: 400 };
    const reports = await Promise.all(processes.map((process) => process.run(task)));
    expect(sum(reports, "loads")).toBe(1);
    expect(new Set(reports.flatMap(({ values }) => values)).size).toBe(1);
    expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
    for (const { loads, commands } of reports) expect(commands).toBeLessThanOrEqual(loads === 1 ? 3 : 4);
  });

  it("a winner that is killed is replaced when its lease is over", async () => {
    processes = await startProcesses(3);
    const [first, ...others] = processes as [FlightProcess, ...FlightProcess[]];
    const task: FlightTask = { options, key: "killed", callers: 20, loadMs: 50 };
    const isLoading = first.loading();
    first.run({ ...task, dies: true }).catch(() => {});
    await isLoading;
    await first.kill();
    const reports = await Promise.all(others.map((process) => process.run(task)));
    expect(sum(reports, "loads")).toBe(1);
    expect(new Set(reports.flatMap(({ values }) => values)).size).toBe(1);
    for (const { tookMs } of reports) expect(tookMs).toBeGreaterThan(100);
  });

  it("each caller gets the error of a failing loader once, and nothing stays stored", async () => {
    processes = await startProcesses(3);
    const task: FlightTask = { options, key: "failing", callers: 50, loadMs: 50, failure: "no such user" };
    const reports = await Promise.all(processes.map((process) => process.run(task)));
    for (const { failures, loads } of reports) {
      expect(failures).toEqual(Array.from({ length: 50 }, () => "no such user"));
      expect(loads).toBeLessThanOrEqual(1);
    }
    expect(await stored("failing")).toBeNull();
  });

  it("a load that began before another process deleted the key is returned and never stored", async () => {
    const [one, two] = [new UpstashCache(options), new UpstashCache(options)];
    let load: (value: string) => void = () => {};
    let begin: () => void = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const value = one.getOrSet(
      "user",
      () =>
        new Promise<string>((resolve) => {
          load = resolve;
          begin();
        }),
      { singleFlight: "global" },
    );
    await hasBegun;
    expect(await two.get("user")).toBeUndefined();
    await two.delete("user");
    load("old");
    expect(await value).toBe("old");
    expect(await stored("user")).toBeNull();
    expect(await two.getOrSet("user", () => "new", { singleFlight: "global" })).toBe("new");
    expect(await one.get("user")).toBe("new");
    await Promise.all([one.close(), two.close()]);
  });

  it("a value that is only being loaded is there for no method, and a write ends its load", async () => {
    const cache = new UpstashCache(options);
    const finish: ((value: number) => void)[] = [];
    const load = (key: string) =>
      cache.getOrSet(key, () => new Promise<number>((resolve) => finish.push(resolve)), { singleFlight: "global" });
    const loads = [load("read"), load("counted"), load("written")];
    for (const key of ["read", "counted", "written"]) await expect.poll(() => stored(key)).not.toBeNull();
    expect(await cache.get("read")).toBeUndefined();
    expect(await cache.getMany(["read", "counted"])).toEqual([undefined, undefined]);
    expect(await cache.exists("read")).toBe(false);
    expect(await cache.pipeline().exists("read").get("read").execute()).toEqual([false, undefined]);
    expect(await cache.increment("counted", 3)).toBe(3);
    expect(await cache.increment("counted", 3)).toBe(6);
    expect(await cache.set("written", 1)).toBe(true);
    for (const end of finish) end(100);
    expect(await Promise.all(loads)).toEqual([100, 100, 100]);
    expect(await cache.getMany(["read", "counted", "written"])).toEqual([100, 6, 1]);
    expect(await cache.exists("read")).toBe(true);
    await cache.rpush("list", 1);
    expect(await cache.exists("list")).toBe(true);
    expect(await cache.pipeline().exists("list").exists("none").execute()).toEqual([true, false]);
    expect(await cache.transaction().exists("list").exists("none").execute()).toEqual([true, false]);
    await expect(cache.increment("list")).rejects.toThrow(/WRONGTYPE/);
    await cache.close();
  });

  it("a load that outlasts its lease renews it, and others wait", async () => {
    const [one, two] = [new UpstashCache(options), new UpstashCache(options)];
    let loads = 0;
    const loader = async () => {
      loads++;
      await new Promise((resolve) => setTimeout(resolve, 2_400));
      return "slow";
    };
    const values = [one, two].map((cache) => cache.getOrSet("slow", loader, { singleFlight: "global" }));
    expect(await Promise.all(values)).toEqual(["slow", "slow"]);
    expect(loads).toBe(1);
    await Promise.all([one.close(), two.close()]);
  });

  it("of processes that serve a stale value one loads anew, and none waits", async () => {
    const caches = Array.from({ length: 4 }, () => new UpstashCache(options));
    let loads = 0;
    const read = (cache: UpstashCache) =>
      cache.getOrSet("stale", async () => ++loads, {
        ttl: "100ms",
        staleWhileRevalidate: "1m",
        singleFlight: "global",
      });
    expect(await read(caches[0] as UpstashCache)).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const used = server.usage.commands;
    const values = await Promise.all(caches.flatMap((cache) => Array.from({ length: 20 }, () => read(cache))));
    expect(new Set(values)).toEqual(new Set([1]));
    await expect.poll(async () => String(await stored("stale")).endsWith("2")).toBe(true);
    expect(loads).toBe(2);
    // Each process reads and tries the lease; one stores.
    expect(server.usage.commands - used).toBeLessThanOrEqual(4 * 2 + 1 + 20);
    await Promise.all(caches.map((cache) => cache.close()));
  });

  it("a caller waits no longer than its own timeout for another process", async () => {
    const [one, two] = [new UpstashCache(options), new UpstashCache(options)];
    let finish: (value: string) => void = () => {};
    const value = one.getOrSet("held", () => new Promise<string>((resolve) => (finish = resolve)), {
      singleFlight: "global",
    });
    await expect.poll(() => stored("held")).not.toBeNull();
    const waiting = two.getOrSet("held", () => "never", { singleFlight: "global", timeout: "300ms" });
    await expect(waiting).rejects.toMatchObject({ kind: "timeout" });
    finish("at last");
    expect(await value).toBe("at last");
    await Promise.all([one.close(), two.close()]);
  });

  it("while the primary is away each process loads by itself", async () => {
    const cache = new UpstashCache({ ...options, timeout: "500ms", retries: 0 });
    server.fault("refuse");
    try {
      expect(await cache.getOrSet("away", () => "loaded", { singleFlight: "global" })).toBe("loaded");
      expect(await cache.get("away")).toBe("loaded");
    } finally {
      server.fault(undefined);
      await cache.close();
    }
  });
});

describe("over TCP, where a Redis before 8.4 does not know IFEQ", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.close());

  it("one of four processes loads, with five commands by the script", async () => {
    processes = await startProcesses(4);
    const options: Connection = { url: redis.url, env: {} };
    const task: FlightTask = { options, key: "first", callers: 100, loadMs: 300 };
    await Promise.all(processes.map((process) => process.run(task)));
    await redis.command("CONFIG", "RESETSTAT");
    // By now the server knows the script, though perhaps not every process knows that it needs it.
    const reports = await Promise.all(processes.map((process) => process.run({ ...task, key: "second" })));
    expect(sum(reports, "loads")).toBe(1);
    for (const { loads, commands } of reports) expect(commands).toBeLessThanOrEqual(loads === 1 ? 5 : 4);
    expect(String(await redis.command("GET", "second"))).toContain("loaded by");
  });
});
