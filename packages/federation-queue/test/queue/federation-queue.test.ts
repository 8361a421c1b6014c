import { describe, expect, it, vi } from "vitest";
import { isLeaseLostError } from "../../src/queue/lease-lost-error.ts";
import type { Lease } from "../../src/queue/types.ts";
import { all, closing, queuesOn } from "./backends.ts";

// What a queue promises, on every backend.

const opened = closing();
const patiently = { timeout: 60_000, interval: 10 };
const ids = (leases: readonly Lease<unknown>[]): string[] => leases.map(({ id }) => id);
const ackAll = (leases: readonly Lease<unknown>[]) => Promise.all(leases.map((lease) => lease.ack()));

describe.each(all)("over $name", (backend) => {
  const start = () => queuesOn<{ readonly n: number } | string>(backend, opened);

  it("gives a message out once, as it was pushed, and deletes it after its ack", async () => {
    const { open } = await start();
    const [here, there] = [open(), open()];
    const { id } = await here.push({ n: 1 });
    const [lease] = await there.pull({ max: 10 });
    expect(lease).toMatchObject({ id, event: { n: 1 }, priority: "normal", attempt: 1, crashes: 0 });
    expect(Math.abs(Date.now() - Number(lease?.pushedAt))).toBeLessThan(60_000);
    expect(Number(lease?.expiresAt) - Date.now()).toBeGreaterThan(20_000);
    expect(await here.pull({ max: 10 })).toEqual([]);
    expect(await here.stats()).toMatchObject({ depth: 0, inFlight: 1 });
    await lease?.ack();
    expect(await here.stats()).toMatchObject({
      depth: 0,
      inFlight: 0,
      delayed: 0,
      dead: 0,
      pending: 0,
      oldestAgeMs: 0,
    });
  });

  it("keeps a message where it is when the target key has another type", async () => {
    const { open, prefix, connect } = await start();
    const queue = open();
    await queue.pushMany(["nacked", "released", "given up"].map((event) => ({ event, id: event })));
    const [nacked, released, givenUp] = await queue.pull({ max: 3 });
    const places = ["delayed", "retry", "dead"].map((name) => `${prefix}:${name}`);
    const transport = connect();
    await transport.send(places.map((key) => ["DEL", key]));
    await transport.send(places.map((key) => ["SET", key, "of others"]));
    const refusal = expect.objectContaining({ name: "CommandError", code: "WRONGTYPE" });
    await expect(nacked?.nack({ delay: "1h" })).rejects.toEqual(refusal);
    await expect(released?.release()).rejects.toEqual(refusal);
    await expect(givenUp?.nack({ delay: 0 })).rejects.toEqual(refusal);
    await transport.send(places.map((key) => ["DEL", key]));
    await ackAll([nacked, released, givenUp].flatMap((lease) => lease ?? []));
    expect(await queue.stats()).toMatchObject({ depth: 0, inFlight: 0, delayed: 0, dead: 0 });
  });

  it("gives out the most urgent messages first, in order, never more than asked for", async () => {
    const { open } = await start();
    const queue = open();
    await queue.pushMany([
      { event: "l1", id: "l1", priority: "low" },
      { event: "n1", id: "n1" },
      { event: "n2", id: "n2" },
      { event: "h1", id: "h1", priority: "high" },
      { event: "h2", id: "h2", priority: "high" },
    ]);
    expect(ids(await queue.pull())).toEqual(["h1"]);
    expect(ids(await queue.pull({ max: 2 }))).toEqual(["h2", "n1"]);
    expect(ids(await queue.pull({ max: 100 }))).toEqual(["n2", "l1"]);
  });

  it("lets no priority starve, in pulls of one or of many", async () => {
    const { open } = await start();
    const queue = open();
    await queue.pushMany(Array.from({ length: 300 }, (_, n) => ({ event: { n }, priority: "high" })));
    await queue.pushMany(Array.from({ length: 10 }, (_, n) => ({ event: { n }, priority: "low" })));
    const many = await queue.pull({ max: 40 });
    expect(many.length).toBe(40);
    expect(many.filter(({ priority }) => priority === "low").length).toBe(5);
    expect(many.filter(({ priority }) => priority === "high").length).toBe(35);
    const single: string[] = [];
    for (let count = 0; count < 32; count++) single.push(...(await queue.pull()).map(({ priority }) => priority));
    expect(single.length).toBe(32);
    expect(single.filter((priority) => priority === "low").length).toBeGreaterThanOrEqual(2);
    expect(single.filter((priority) => priority === "low").length).toBeLessThanOrEqual(8);
  });

  it("handles all priorities, the urgent ones more often", async () => {
    const { open } = await start();
    const queue = open();
    for (const priority of ["low", "normal", "high"]) {
      await queue.pushMany(Array.from({ length: 70 }, (_, n) => ({ event: { n }, priority })));
    }
    const done: string[] = [];
    queue.consume((_, { priority }) => void done.push(priority), { concurrency: 4 });
    await vi.waitFor(() => expect(done.length).toBe(210), patiently);
    const early = done.slice(0, 70);
    const share = (priority: string) => early.filter((one) => one === priority).length;
    expect(share("high")).toBeGreaterThan(share("normal"));
    expect(share("normal")).toBeGreaterThan(share("low"));
    expect(share("low")).toBeGreaterThan(3);
  });

  it("pushes an id once within the retention, done or not, from any process", async () => {
    const { open } = await start();
    const [here, there] = [open(), open()];
    expect(await here.push("a", { id: "one" })).toEqual({ id: "one" });
    expect(await there.push("b", { id: "one" })).toEqual({ id: "one", duplicate: true });
    const leases = await there.pull({ max: 10 });
    expect(leases.map(({ event }) => event)).toEqual(["a"]);
    await ackAll(leases);
    expect(await here.push("c", { id: "one", delay: "1s" })).toEqual({ id: "one", duplicate: true });
    expect(await there.pull({ max: 10 })).toEqual([]);
    const short = open({ prefix: "short", retention: "300ms" });
    await short.push("a", { id: "one" });
    await vi.waitFor(async () => expect(await short.push("a", { id: "one" })).toEqual({ id: "one" }), patiently);
  });

  it("gives the message of an expired lease to another worker, counts a crash, and rejects the late ack", async () => {
    const { open } = await start();
    const [here, there] = [open({ visibilityTimeout: "200ms" }), open({ visibilityTimeout: "200ms" })];
    const recovered = vi.fn();
    there.on("recovered", recovered);
    const { id } = await here.push("work");
    const [late] = await here.pull();
    const next = await vi.waitFor(async () => {
      const [lease] = await there.pull();
      expect(lease).toBeDefined();
      return lease;
    }, patiently);
    expect(next).toMatchObject({ id, attempt: 1, crashes: 1, priority: "normal", pushedAt: late?.pushedAt });
    expect(recovered).toHaveBeenCalledWith({ count: 1 });
    const refusal = await late?.ack().catch((error: unknown) => error);
    expect(isLeaseLostError(refusal)).toBe(true);
    expect(refusal).toMatchObject({ id });
    expect(late?.signal.aborted).toBe(true);
    await expect(late?.nack()).rejects.toThrow(/lease of message/);
    await next?.ack();
    expect(await here.stats()).toMatchObject({ depth: 0, inFlight: 0 });
  });

  it("keeps a lease while it is extended, and loses it afterwards", async () => {
    const { open } = await start();
    // Far longer than a busy machine stands still, and far shorter than the loop goes on.
    const [here, there] = [open({ visibilityTimeout: "3s" }), open({ visibilityTimeout: "3s" })];
    await here.push("work");
    const [lease] = await here.pull();
    const endMs = performance.now() + 4_500;
    while (performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      await lease?.extend();
      expect(await there.pull()).toEqual([]);
    }
    await expect(lease?.extend("4s")).rejects.toMatchObject({ name: "ConfigError" });
    await lease?.extend("50ms");
    await vi.waitFor(async () => expect((await there.pull()).length).toBe(1), patiently);
    await expect(lease?.extend()).rejects.toThrow(/extend/);
  });

  it("gives a failed message out again after its backoff, until it is a dead letter with its reason", async () => {
    const { open } = await start();
    const queue = open({ maxAttempts: 3, backoff: { initial: "20ms" }, visibilityTimeout: "10s", pollInterval: "1s" });
    const dead = vi.fn();
    queue.on("dead", dead);
    const failed: unknown[] = [];
    queue.on("failed", (event) => failed.push(event));
    const attempts: number[] = [];
    queue.consume((_, { attempt }) => {
      attempts.push(attempt);
      throw new Error(`no luck\n${attempt}`);
    });
    const { id } = await queue.push("work", { priority: "low" });
    await vi.waitFor(() => expect(dead).toHaveBeenCalledWith({ id, reason: "failed" }), patiently);
    expect(attempts).toEqual([1, 2, 3]);
    expect(failed).toEqual(attempts.map((attempt) => ({ id, attempt, error: new Error(`no luck\n${attempt}`) })));
    const [letter, ...others] = await queue.dead();
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      id,
      event: "work",
      priority: "low",
      reason: "failed",
      detail: "no luck\n3",
      failures: 3,
      crashes: 0,
    });
    expect(await queue.stats()).toMatchObject({ depth: 0, inFlight: 0, delayed: 0, dead: 1 });
  });

  it("redrives dead letters to their own priority, with new counters: all, some, or by id", async () => {
    const { open } = await start();
    const queue = open({ maxAttempts: 1 });
    await queue.pushMany(["a", "b", "c", "d"].map((id) => ({ event: id, id, priority: "high" })));
    for (const lease of await queue.pull({ max: 10 })) await lease.nack({ reason: "bad" });
    expect((await queue.dead()).map(({ id }) => id)).toEqual(["d", "c", "b", "a"]);
    expect((await queue.dead({ max: 1 })).map(({ id, detail }) => [id, detail])).toEqual([["d", "bad"]]);
    expect(await queue.redrive({ ids: ["c", "none"] })).toBe(1);
    expect(await queue.redrive({ max: 1 })).toBe(1);
    const again = await queue.pull({ max: 10 });
    expect(again.map(({ id, attempt, crashes, priority }) => [id, attempt, crashes, priority])).toEqual([
      ["c", 1, 0, "high"],
      ["a", 1, 0, "high"],
    ]);
    expect(await queue.redrive()).toBe(2);
    expect(await queue.redrive()).toBe(0);
    expect(ids(await queue.pull({ max: 10 }))).toEqual(["b", "d"]);
  });

  it("gives a released message out again before all others, without counting an attempt", async () => {
    const { open } = await start();
    const queue = open();
    await queue.pushMany([
      { event: "h", id: "h", priority: "high" },
      { event: "l", id: "l", priority: "low" },
    ]);
    const leases = await queue.pull({ max: 10 });
    await leases.find(({ id }) => id === "l")?.release();
    await leases.find(({ id }) => id === "h")?.nack({ delay: 0 });
    const again = await queue.pull({ max: 10 });
    expect(again.map(({ id, attempt, crashes, priority }) => [id, attempt, crashes, priority])).toEqual([
      ["l", 1, 0, "low"],
      ["h", 2, 0, "high"],
    ]);
  });

  it("gives out a delayed message when its delay has passed, not earlier, from its priority", async () => {
    const { open } = await start();
    const queue = open({ pollInterval: "5s" });
    const got: [string, number, string][] = [];
    const begun = Date.now();
    await queue.push("later", { delay: "600ms", id: "later", priority: "high" });
    await queue.push("now", { id: "now" });
    expect(await queue.stats()).toMatchObject({ depth: 1, delayed: 1 });
    queue.consume((_, { id, priority }) => void got.push([id, Date.now() - begun, priority]));
    await vi.waitFor(() => expect(got.length).toBe(2), patiently);
    expect(got[0]?.[0]).toBe("now");
    expect(got[1]?.[0]).toBe("later");
    expect(got[1]?.[1]).toBeGreaterThanOrEqual(590);
    expect(got[1]?.[2]).toBe("high");
    expect(await queue.push("later", { delay: "1s", id: "later" })).toEqual({ id: "later", duplicate: true });
  });

  it("moves messages that wait longer than the retention to the dead letters", async () => {
    const { open } = await start();
    const queue = open({ retention: "2s", visibilityTimeout: "100ms" });
    await queue.push("old", { id: "old" });
    await queue.push("held", { id: "held", priority: "high" });
    const dead = vi.fn();
    queue.on("dead", dead);
    const held = await queue.pull();
    expect(ids(held)).toEqual(["held"]);
    const extending = setInterval(() => void held[0]?.extend().catch(() => {}), 40);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    clearInterval(extending);
    await vi.waitFor(async () => {
      expect(await queue.pull({ max: 10 })).toEqual([]);
      expect(dead.mock.calls.map(([{ id, reason }]) => `${id} ${reason}`).sort()).toEqual([
        "held expired",
        "old expired",
      ]);
    }, patiently);
    expect((await queue.dead()).map(({ id, reason }) => [id, reason]).sort()).toEqual([
      ["held", "expired"],
      ["old", "expired"],
    ]);
    await vi.waitFor(async () => {
      expect(await queue.dead()).toEqual([]);
      await queue.pull();
      expect((await queue.stats()).dead).toBe(0);
    }, patiently);
  });

  it("moves a message that crashes every worker to the dead letters", async () => {
    const { open } = await start();
    const queue = open({ visibilityTimeout: "60ms", maxCrashes: 2 });
    await queue.push("bomb", { id: "bomb" });
    const crashes: number[] = [];
    await vi.waitFor(async () => {
      for (const lease of await queue.pull()) crashes.push(lease.crashes);
      expect((await queue.stats()).dead).toBe(1);
    }, patiently);
    expect(crashes).toEqual([0, 1, 2]);
    expect((await queue.dead())[0]).toMatchObject({ id: "bomb", reason: "crashed", failures: 0, crashes: 3 });
  });

  it("finishes running handlers when it stops, and releases all other messages", async () => {
    const { open } = await start();
    const [here, there] = [open(), open()];
    await here.pushMany(["a", "b", "c", "d"].map((id) => ({ event: id, id })));
    const finish: (() => void)[] = [];
    const lost: boolean[] = [];
    const worker = here.consume(
      (_, { signal }) =>
        new Promise<void>((resolve) => {
          finish.push(resolve);
          signal.addEventListener("abort", () => lost.push(true));
        }),
      { concurrency: 2 },
    );
    await vi.waitFor(() => expect(worker.running).toBe(2), patiently);
    const stopped = worker.stop({ timeout: "2s" });
    finish[0]?.();
    await stopped;
    await worker.stop();
    expect(lost).toEqual([true]);
    expect(ids(await there.pull({ max: 10 })).sort()).toEqual(["b", "c", "d"]);
    expect((await there.stats()).inFlight).toBe(3);
    finish[1]?.();
  });

  it("releases its leases when it closes, and rejects later calls", async () => {
    const { open } = await start();
    const [here, there] = [open(), open()];
    await here.push("work", { id: "one" });
    expect(ids(await here.pull())).toEqual(["one"]);
    await here.close();
    await here.close();
    await expect(here.push("more")).rejects.toMatchObject({ kind: "closed" });
    await expect(here.pull()).rejects.toMatchObject({ kind: "closed" });
    expect(() => here.consume(() => {})).toThrow(/closed/);
    const [again] = await there.pull();
    expect(again).toMatchObject({ id: "one", attempt: 1, crashes: 0 });
  });

  it("moves messages that no codec can decode to the dead letters, and goes on", async () => {
    const { open, connect, prefix } = await start();
    const queue = open();
    await connect().send([["XADD", `${prefix}:normal`, "*", "i", "odd", "e", "{no json"]]);
    await queue.push("fine", { id: "fine" });
    expect(ids(await queue.pull({ max: 10 }))).toEqual(["fine"]);
    await vi.waitFor(async () => {
      expect((await queue.dead())[0]).toMatchObject({ id: "odd", event: undefined, reason: "unreadable" });
    }, patiently);
  });

  it("handles many messages at once, each once, with any number of workers", async () => {
    const { open } = await start();
    const producer = open();
    const done = new Map<number, number>();
    let most = 0;
    const workers = [1, 2, 3].map(() => {
      const worker = open().consume(
        async (event) => {
          most = Math.max(most, worker.running);
          const { n } = event as { readonly n: number };
          done.set(n, (done.get(n) ?? 0) + 1);
          await Promise.resolve();
        },
        { concurrency: 5 },
      );
      return worker;
    });
    for (let n = 0; n < 1_000; n += 100) {
      await producer.pushMany(Array.from({ length: 100 }, (_, at) => ({ event: { n: n + at } })));
    }
    await vi.waitFor(() => expect(done.size).toBe(1_000), patiently);
    await Promise.all(workers.map((worker) => worker.stop()));
    expect([...done.values()].every((times) => times === 1)).toBe(true);
    expect(most).toBeLessThanOrEqual(5);
    expect(await producer.stats()).toMatchObject({ depth: 0, inFlight: 0 });
  });

  it("stops with its signal", async () => {
    const { open } = await start();
    const queue = open();
    const ending = new AbortController();
    const worker = queue.consume(() => {}, { signal: ending.signal });
    ending.abort();
    await worker.stop();
    await queue.push("work");
    expect((await queue.pull()).length).toBe(1);
  });
});
