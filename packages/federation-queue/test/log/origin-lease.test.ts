import { startRedisServer } from "@continuum-cache/conformance/servers";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { describe, expect, it } from "vitest";
import { isOriginTakenError } from "../../src/log/origin-taken-error.ts";
import { SyncLog } from "../../src/log/sync-log.ts";
import type { SyncLogOptions } from "../../src/log/types.ts";
import { logProcesses } from "./log-process.ts";
import { closing, following, named, waitFor } from "./logs.ts";

// At most one process at a time holds a name, also when processes are killed or frozen.

const opened = closing();

const processes = logProcesses();

describe("over the Redis protocol", () => {
  const start = async () => {
    const redis = opened(await startRedisServer());
    const open = (instanceId: string, options: Partial<SyncLogOptions> = {}) =>
      opened(
        new SyncLog<number>(
          { transport: opened(tcpTransport({ url: redis.url })) },
          { instanceId, key: "log", lease: "1s", ...options },
        ),
      );
    return { redis, open };
  };

  it("continues an origin's numbers without a hole after its process was killed and the lease has ended", async () => {
    const { redis, open } = await start();
    const killed = opened(processes.start(redis.url, "a"));
    const reading = opened(following(open("reader")));
    await waitFor(() => expect(killed.accepted().length).toBeGreaterThan(20));
    killed.signal("SIGKILL");
    const a = open("a");
    expect(await a.append(-1)).toMatchObject({ pending: true });
    await waitFor(() => expect(a.pending).toBe(0));
    const last = await a.append(-2);
    const seq = Number(String(last.pending ? 0 : last.seq));
    expect(seq).toBeGreaterThan(killed.accepted().length);
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, seq)));
    expect(reading.entries.filter(({ event }) => event < 0).map(({ event }) => event)).toEqual([-1, -2]);
  });

  it("fences a process that was frozen for longer than its lease", async () => {
    const { redis, open } = await start();
    const frozen = opened(processes.start(redis.url, "a"));
    const reading = opened(following(open("reader")));
    await waitFor(() => expect(frozen.accepted().length).toBeGreaterThan(20));
    frozen.signal("SIGSTOP");
    const a = open("a");
    await a.append(-1);
    await waitFor(() => expect(a.pending).toBe(0));
    for (let n = 2; n <= 30; n++) await a.append(-n);
    const printed = frozen.lines.length;
    frozen.signal("SIGCONT");
    await waitFor(() =>
      expect(frozen.lines.slice(printed).some((line) => line.startsWith("rejected OriginTaken"))).toBe(true),
    );
    expect(frozen.lines.slice(printed + 1).filter((line) => line.startsWith("accepted"))).toEqual([]);
    const last = await a.append(-31);
    const seq = last.pending ? 0 : last.seq;
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, seq)));
    // Each number belongs to one event, and all accepted events are there.
    const events = reading.entries.map(({ event }) => event);
    expect(new Set(events).size).toBe(events.length);
    expect(events.filter((event) => event < 0)).toEqual(Array.from({ length: 31 }, (_, n) => -1 - n));
    for (const one of frozen.accepted()) expect(events[one - 1]).toBeGreaterThanOrEqual(0);
    await a.close();
    await waitFor(() => expect(frozen.accepted().some((one) => one > seq)).toBe(true));
  });

  it("leaves no additional keys after many restarts", async () => {
    const { redis, open } = await start();
    for (let round = 0; round < 20; round++) {
      const [a, b] = [open("a"), open("b")];
      await a.append(round);
      const reading = following(b);
      await waitFor(() => expect(reading.seen).toEqual([`a:${round + 1}`]));
      await reading.stop();
      await Promise.all([a.close(), b.close()]);
    }
    expect(await redis.command("HLEN", "log")).toBe(2);
    expect(((await redis.command("KEYS", "*")) as string[]).sort()).toEqual(["log", "log:a", "log:cursors:b"]);
  });

  it("gives a name to exactly one of many processes that ask at once", async () => {
    const { open } = await start();
    const logs = Array.from({ length: 8 }, () => open("a", { lease: "30s" }));
    const settled = await Promise.allSettled(logs.map((log, n) => log.append(n, { fallback: false })));
    expect(settled.filter(({ status }) => status === "fulfilled").length).toBe(1);
    const refused = settled.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused.every(isOriginTakenError)).toBe(true);
  });
});
