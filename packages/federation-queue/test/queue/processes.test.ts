import { startRedisServer } from "@continuum-cache/conformance/servers";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { describe, expect, it, vi } from "vitest";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import { closing } from "./backends.ts";
import { queueProcesses } from "./queue-process.ts";

// Real processes: they are killed, and they end.

const opened = closing();
const processes = queueProcesses();
const patiently = { timeout: 60_000, interval: 10 };

describe("a process", () => {
  it("that is killed has its messages given out again, and its death counts as a crash, not as a failure", async () => {
    const redis = opened(await startRedisServer());
    const options = { visibilityTimeout: "1s", maxAttempts: 2 } as const;
    const queue = opened(new FederationQueue<number>({ transport: opened(tcpTransport({ url: redis.url })) }, options));
    await queue.pushMany([{ event: 1 }, { event: 2 }, { event: 3 }]);
    const deaths = 4;
    for (let death = 0; death < deaths; death++) {
      const child = opened(processes.start(redis.url, "hold", options));
      await vi.waitFor(() => expect(child.lines.filter((line) => line.startsWith("holds")).length).toBe(3), patiently);
      child.kill();
      await child.exited;
    }
    const got: unknown[] = [];
    queue.consume((event, { attempt, crashes }) => void got.push([event, attempt, crashes]));
    await vi.waitFor(() => expect(got.length).toBe(3), patiently);
    expect(got.sort()).toEqual([1, 2, 3].map((event) => [event, 1, deaths]));
    await vi.waitFor(
      async () => expect(await queue.stats()).toMatchObject({ depth: 0, inFlight: 0, dead: 0 }),
      patiently,
    );
  });

  it("ends by itself when its queue and its transport are closed", async () => {
    const redis = opened(await startRedisServer());
    const child = opened(processes.start(redis.url, "whole"));
    expect(await child.exited).toBe(0);
    expect(child.lines).toEqual(["worked", "left []"]);
    for (const stream of ["retry", "high", "normal", "low"]) {
      expect(await redis.command("XINFO", "CONSUMERS", `fed:queue:${stream}`, "workers")).toEqual([]);
    }
    expect(await redis.command("PUBSUB", "CHANNELS")).toEqual([]);
  });

  it("ends by itself during an outage, and reports the pushes that are lost", async () => {
    const redis = opened(await startRedisServer());
    const child = opened(processes.start(redis.url, "outage", { timeout: "10s" }));
    await vi.waitFor(() => expect(child.lines).toContain("worked"), patiently);
    await redis.kill();
    child.tell("killed");
    expect(await child.exited).toBe(0);
    expect(child.lines).toContain("no stats");
    expect(child.lines).toContain("error close");
    expect(child.lines.at(-1)).toBe("left []");
    expect(child.lines.filter((line) => /^(unhandled|uncaught|warning)/.test(line))).toEqual([]);
  });
});
