import { describe, expect, it } from "vitest";
import { SyncLog } from "../../src/log/sync-log.ts";
import type { LogEvents, SyncLogOptions } from "../../src/log/types.ts";
import { startLaggingReplica, ways } from "../lagging-replica.ts";
import { closing, following, logsOn, memory, named, rest, tcp, waitFor } from "./logs.ts";

// The server has lost accepted events: all of them, or the latest.

const opened = closing();

describe.each(ways)("a failover to a lagging replica over %s", (way) => {
  const start = async () => {
    const pair = await startLaggingReplica(opened);
    return {
      ...pair,
      open: async (instanceId: string, options: Partial<SyncLogOptions> = {}) => {
        const log = opened(
          new SyncLog<number>(
            { transport: await pair.connect(way) },
            { instanceId, key: "log", timeout: "1s", lease: "1s", pollInterval: "300ms", ...options },
          ),
        );
        const repaired: LogEvents["repaired"][] = [];
        log.on("repaired", (one) => repaired.push(one));
        return Object.assign(log, { repaired });
      },
    };
  };
  const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

  it("is repaired by the origin, each event once, also when it appends nothing more", {
    timeout: 60_000,
  }, async () => {
    const { replica, caughtUp, lag, failOver, open } = await start();
    const a = await open("a");
    const reading = opened(following(await open("b")));
    await a.appendMany(numbers(1, 10));
    await waitFor(() => expect(reading.seen.length).toBe(10));
    await caughtUp();
    lag();
    await a.appendMany(numbers(11, 20));
    await waitFor(() => expect(reading.seen.length).toBe(20));
    await failOver();
    expect(await replica.command("XLEN", "log:a")).toBe(10);
    await waitFor(async () => expect(await replica.command("XLEN", "log:a")).toBe(20));
    await waitFor(() => expect(a.repaired).toEqual([{ count: 10, lost: 0 }]));
    await waitFor(async () => expect(await a.append(21)).toMatchObject({ seq: 21 }));
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 21)));
    const later = opened(following(await open("c")));
    await waitFor(() => expect(later.entries.map(({ event }) => event)).toEqual(numbers(1, 21)));
  });

  it("to a server that does not know the name's holder is repaired too", async () => {
    const { replica, caughtUp, lag, failOver, open } = await start();
    const a = await open("a");
    await caughtUp();
    lag();
    await a.appendMany(numbers(1, 10));
    await failOver();
    await waitFor(async () => expect(await a.append(11)).toMatchObject({ seq: 11 }));
    expect(await replica.command("XLEN", "log:a")).toBe(11);
    expect(a.repaired).toEqual([{ count: 10, lost: 0 }]);
  });

  it("is noticed by a log that is closed right after it", async () => {
    const { replica, caughtUp, lag, failOver, open } = await start();
    const a = await open("a", { lease: "1h" });
    await a.append(0);
    await caughtUp();
    lag();
    await a.appendMany(numbers(1, 10));
    await failOver();
    await a.close();
    expect(a.repaired).toEqual([{ count: 10, lost: 0 }]);
    expect(await replica.command("XLEN", "log:a")).toBe(11);
  });

  it("leaves a gap of known size when no process remembers the events", async () => {
    const { caughtUp, lag, failOver, open } = await start();
    const a = await open("a", { repair: 0 });
    const reading = opened(following(await open("b")));
    await a.appendMany(numbers(1, 10));
    await waitFor(() => expect(reading.seen.length).toBe(10));
    await caughtUp();
    lag();
    await a.appendMany(numbers(11, 15));
    await waitFor(() => expect(reading.seen.length).toBe(15));
    await failOver();
    await waitFor(async () => expect(await a.append(16)).toMatchObject({ seq: 16 }));
    expect(a.repaired).toEqual([{ count: 0, lost: 5 }]);
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 16)));
    const later = opened(following(await open("c")));
    await waitFor(() => expect(later.seen).toEqual([...named("a", 1, 10), "a:11..15 retention", "a:16"]));
  });

  it("is reported as a reset when the origin is gone too, and no event is skipped", async () => {
    const { caughtUp, lag, failOver, open } = await start();
    const a = await open("a");
    const b = await open("b");
    const resets: string[] = [];
    b.on("reset", ({ origin }) => resets.push(origin));
    const reading = opened(following(b));
    await a.appendMany(numbers(1, 10));
    await waitFor(() => expect(reading.seen.length).toBe(10));
    await caughtUp();
    lag();
    await a.appendMany(numbers(11, 15));
    await waitFor(() => expect(reading.seen.length).toBe(15));
    await a.close();
    await failOver();
    const next = await open("a");
    await waitFor(async () => expect(await next.append(-11, { fallback: false })).toMatchObject({ seq: 11 }));
    await waitFor(() => expect(reading.seen).toEqual([...named("a", 1, 15), "a:11..10 reset", "a:11"]));
    expect(resets).toEqual(["a"]);
    await next.append(-12);
    await waitFor(() => expect(reading.entries.at(-1)?.event).toBe(-12));
  });
});

describe.each([tcp, rest, memory])("a flush over $name", (backend) => {
  it("is repaired by the origin with the events that it remembers", async () => {
    const { open, connect } = await logsOn<number>(backend, opened);
    const [a, b] = [open("a"), open("b", { pollInterval: "200ms" })];
    const reading = opened(following(b));
    await a.appendMany([1, 2, 3]);
    await waitFor(() => expect(reading.seen.length).toBe(3));
    await connect().send([["FLUSHALL"]]);
    expect(await a.append(4)).toMatchObject({ seq: 4 });
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 4)));
    const later = opened(following(open("c")));
    await waitFor(() => expect(later.seen).toEqual(named("a", 1, 4)));
  });

  it("is repaired when it lost many events and the origin appends nothing more", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const a = open("a", { lease: "400ms" });
    const repaired: unknown[] = [];
    a.on("repaired", (one) => repaired.push(one));
    await a.appendMany(Array.from({ length: 1_000 }, (_, n) => n + 1));
    const admin = connect();
    await admin.send([["FLUSHALL"]]);
    await waitFor(async () => expect(await admin.send([["XLEN", `${key}:a`]])).toEqual([1_000]));
    await waitFor(() => expect(repaired).toEqual([{ count: 1_000, lost: 0 }]));
    const later = opened(following(open("c"), { commits: false }));
    await waitFor(() => expect(later.seen).toEqual(named("a", 1, 1_000)));
  });

  it("is reported as a reset when the origin is gone, also when no event follows", async () => {
    const { open, connect } = await logsOn<number>(backend, opened);
    const [a, b] = [open("a"), open("b", { pollInterval: "200ms" })];
    const resets: string[] = [];
    b.on("reset", ({ origin }) => resets.push(origin));
    const reading = opened(following(b));
    await a.appendMany([1, 2, 3]);
    await waitFor(() => expect(reading.seen.length).toBe(3));
    await a.close();
    await connect().send([["FLUSHALL"]]);
    await waitFor(() => expect(resets).toEqual(["a"]));
    await open("a").append(-1);
    await waitFor(() => expect(reading.seen).toEqual([...named("a", 1, 3), "a:1..0 reset", "a:1"]));
    expect(reading.entries.at(-1)?.event).toBe(-1);
  });

  it("of a single stream does not make numbers begin anew", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const [a, b] = [open("a"), open("b", { pollInterval: "200ms" })];
    const reading = opened(following(b));
    await a.appendMany([1, 2, 3]);
    await waitFor(() => expect(reading.seen.length).toBe(3));
    await reading.stop();
    await a.close();
    await connect().send([["DEL", `${key}:a`]]);
    const next = open("a");
    expect(await next.append(4)).toMatchObject({ seq: 4 });
    const again = opened(following(b));
    await waitFor(() => expect(again.seen).toEqual(["a:4"]));
  });
});
