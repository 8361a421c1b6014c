import { scaled } from "@continuum-cache/test-scale";
import { describe, expect, it, vi } from "vitest";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import { closing, queuesOn, servers } from "./backends.ts";

// What many processes leave behind, whether they end well or not.

const opened = closing();
const patiently = { timeout: 60_000, interval: 20 };

describe.each(servers)("over $name", (backend) => {
  it("leaves a constant number of consumers, groups and keys after many restarts", async () => {
    const { connect, redis, prefix, open } = await queuesOn<number>(backend, opened);
    if (!redis) throw new Error("Expected a server");
    const options = { prefix, visibilityTimeout: "100ms", pollInterval: "200ms", repair: "200ms" } as const;
    const producer = open(options);
    const done = new Set<number>();
    let next = 0;
    const rounds = scaled(10, 4);
    for (let round = 0; round < rounds; round++) {
      const transport = connect();
      const queue = new FederationQueue<number>({ transport }, options);
      queue.on("error", () => {});
      const worker = queue.consume((event) => void done.add(event), { concurrency: 4 });
      await producer.pushMany(Array.from({ length: 25 }, () => ({ event: next++ })));
      await vi.waitFor(() => expect(done.size).toBeGreaterThan(next - 25), patiently);
      if (round % 2 === 0) await queue.close();
      else {
        // Like kill -9: it sends nothing more.
        await transport.close();
        await worker.stop({ timeout: "1ms" });
        await queue.close();
      }
    }
    open(options).consume((event) => void done.add(event), { concurrency: 4 });
    await vi.waitFor(() => expect(done.size).toBe(next), patiently);
    const keys = (await redis.command("KEYS", "*")) as readonly string[];
    expect(keys.length).toBeLessThanOrEqual(5);
    await vi.waitFor(async () => {
      for (const key of keys.filter((name) => /:(again|high|normal|low)$/.test(name))) {
        const groups = (await redis.command("XINFO", "GROUPS", key)) as readonly unknown[];
        expect(groups.length).toBe(1);
        const consumers = (await redis.command("XINFO", "CONSUMERS", key, "workers")) as readonly unknown[];
        expect(consumers.length).toBeLessThanOrEqual(2);
        expect(await redis.command("XLEN", key)).toBeLessThanOrEqual(1);
      }
    }, patiently);
  });

  it("gives the messages of a killed process out again within a lease and a half", async () => {
    const { connect, prefix, open } = await queuesOn<number>(backend, opened);
    const options = { prefix, visibilityTimeout: "2s", pollInterval: "30s" } as const;
    const transport = connect();
    const killed = new FederationQueue<number>({ transport }, options);
    killed.on("error", () => {});
    const stuck = killed.consume(() => new Promise(() => {}), { concurrency: 10 });
    const others = [open(options), open(options)];
    const redelivered: number[] = [];
    let killedMs = 0;
    await others[0]?.pushMany(Array.from({ length: 10 }, (_, event) => ({ event })));
    await vi.waitFor(() => expect(stuck.running).toBe(10), patiently);
    for (const other of others) {
      other.consume(
        (_, { crashes, attempt }) => {
          expect([crashes, attempt]).toEqual([1, 1]);
          redelivered.push(performance.now() - killedMs);
        },
        { concurrency: 5 },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(redelivered).toEqual([]);
    killedMs = performance.now();
    await transport.close();
    await vi.waitFor(() => expect(redelivered.length).toBe(10), patiently);
    console.log(
      `${backend.name}: redelivered ${Math.round(Math.max(...redelivered))} ms after the kill, lease 2000 ms`,
    );
    // Not the speed of this machine: the bound is a promise, with slack for a busy one.
    expect(Math.max(...redelivered)).toBeLessThanOrEqual(3_000 + 1_000);
    await stuck.stop({ timeout: "1ms" });
    await killed.close();
  });
});
