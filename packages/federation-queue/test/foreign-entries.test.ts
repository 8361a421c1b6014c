import type { Command } from "@continuum-cache/core";
import { describe, expect, it, vi } from "vitest";
import type { LogEvents } from "../src/log/types.ts";
import type { QueueEvents } from "../src/queue/types.ts";
import { following, logsOn, waitFor } from "./log/logs.ts";
import { closing, memory, queuesOn, tcp } from "./queue/backends.ts";
import { regionsOf } from "./relay/regions.ts";

// Entries of other programs in our streams: they are reported and skipped, and end nothing.

const opened = closing();
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 60_000, interval: 5 });

const hugeId = "18446744073709551614-7";
const odd: readonly (readonly string[])[] = [
  ["some", "thing"],
  ["i", "no event"],
  ["e", "no id"],
  ["i", "a\nb", "e", '"two lines"', "f", "-1", "c", "x", "t", "NaN", "w", "1e999"],
  ["i", "counts", "e", '"counts"', "f", "9".repeat(400), "c", "9".repeat(400)],
  ["i", "times", "e", '"times"', "t", "-5", "w", "-5", "p", "nowhere", "r", "because", "d", "x".repeat(10_000)],
  ["e", "\u00c1m\u00dd\u007f", "i", "binary"],
  ["__proto__", "x", "constructor", "y", "i", "proto", "e", "[".repeat(2_000)],
];

describe.each([tcp, memory])("foreign entries in a queue ($name)", (backend) => {
  it("emit an error and become dead letters one by one, and all other messages are done", async () => {
    const { open, prefix, connect } = await queuesOn<string>(backend, opened);
    const admin = connect();
    const queue = open({ visibilityTimeout: "10s", maxAttempts: 2, backoff: { initial: "5ms" }, pollInterval: "1s" });
    const done: string[] = [];
    const errors: QueueEvents["error"][] = [];
    const dead: QueueEvents["dead"][] = [];
    queue.on("error", (event) => errors.push(event));
    queue.on("dead", (event) => dead.push(event));
    const foreign = ["high", "normal", "low", "again", "dead"].flatMap((name) =>
      odd.map((fields): Command => ["XADD", `${prefix}:${name}`, "*", ...fields]),
    );
    const delayed = ["x", "a\nb\nc\nd\ne\nf\ng", 'i\nnormal\n1e9\nx\n-abc\n\n\n"late"', "i\nhigh\n0\n0\n-1e9\nz\n\n1"];
    const members = delayed.flatMap((member): Command[] => [
      ["ZADD", `${prefix}:delayed`, "-inf", `${member}1`],
      ["ZADD", `${prefix}:delayed`, 5, `${member}2`],
      ["ZADD", `${prefix}:delayed`, "inf", `${member}3`],
    ]);
    await admin.send([...foreign, ...members]);
    const worker = queue.consume((event) => {
      if (!String(event).startsWith("own")) throw new Error("not ours");
      done.push(event);
    });
    await queue.pushMany([{ event: "own 1" }, { event: "own 2", delay: "10ms" }, { event: "own 3", priority: "low" }]);
    await eventually(() => expect([...done].sort()).toEqual(["own 1", "own 2", "own 3"]));
    await eventually(async () => expect(await queue.stats()).toMatchObject({ depth: 0, inFlight: 0 }));
    // Those with an infinite time wait for ever.
    await eventually(async () => expect(await queue.stats()).toMatchObject({ delayed: delayed.length }));
    await worker.stop();
    expect(new Set(errors.map(({ operation }) => operation))).toEqual(new Set(["decode"]));
    const letters = await queue.dead({ max: 1_000 });
    for (const { id } of dead) expect(letters.map((letter) => letter.id)).toContain(id);
    for (const { diedAt, pushedAt, failures, crashes } of letters) {
      for (const number of [diedAt.getTime(), pushedAt.getTime(), failures, crashes]) expect(number).not.toBeNaN();
    }
    expect(await queue.redrive()).toBe(letters.length);
  });

  it("with the highest possible id fail pushes to their stream, and no others", async () => {
    const { open, prefix, connect } = await queuesOn<string>(backend, opened);
    const queue = open();
    const done: string[] = [];
    queue.consume((event) => void done.push(event));
    await connect().send([["XADD", `${prefix}:low`, hugeId, "i", "huge", "e", '"huge"']]);
    await queue.push("normal");
    await eventually(() => expect([...done].sort()).toEqual(["huge", "normal"]));
    expect(await queue.stats()).toMatchObject({ dead: 0 });
  });
});

describe.each([tcp, memory])("entries of others in a log ($name)", (backend) => {
  it("are reported and skipped by its readers, and its own go on", async () => {
    const { open, key, connect } = await logsOn<string>(backend, opened);
    const [a, b] = [open("a"), open("b")];
    const errors: LogEvents["error"][] = [];
    b.on("error", (event) => errors.push(event));
    await a.append("one");
    const reading = opened(following(b));
    await waitFor(() => expect(reading.seen).toEqual(["a:1"]));
    await connect().send([["XADD", `${key}:a`, "*", "some", "thing"]]);
    await a.append("two");
    await waitFor(() => expect(reading.seen).toContain("a:2"));
    expect(reading.entries.map(({ event }) => event)).toEqual(["one", "two"]);
    expect(reading.gaps).toEqual([]);
    expect(errors.filter(({ operation }) => operation === "read")).toHaveLength(1);
    expect(String(errors[0]?.error.message)).toMatch(/\d+-0/);
  });

  it("with an id behind all ids are read once, and an append is refused with what to do", async () => {
    const { open, key, connect } = await logsOn<string>(backend, opened);
    const admin = connect();
    const [a, b, c] = [open("a", { timeout: "2s" }), open("b"), open("c")];
    const errors: LogEvents["error"][] = [];
    b.on("error", (event) => errors.push(event));
    await a.append("one");
    await c.append("of another");
    const reading = opened(following(b));
    await waitFor(() => expect(reading.seen.length).toBe(2));
    await admin.send([["XADD", `${key}:a`, hugeId, "e", '"huge"']]);
    await expect(a.append("two", { fallback: false })).rejects.toThrow(/18446744073709551614-7.*delete that stream/);
    await c.append("more of another");
    await waitFor(() => expect(reading.seen.length).toBe(3));
    await waitFor(() => expect(errors).toHaveLength(1));
    await c.append("and more");
    await waitFor(() => expect(reading.seen.length).toBe(4));
    expect(errors).toHaveLength(1);
    expect(reading.gaps).toEqual([]);
    expect((await b.stats()).origins["c"]).toMatchObject({ lastSeq: 3 });
  });

  it("and values of others among its cursors and origins are passed over", async () => {
    const { open, key, connect } = await logsOn<string>(backend, opened);
    const [a, b] = [open("a"), open("b")];
    await connect().send([
      ["HSET", key, "x", "", "y", "no words", "z", `me 1 1 ${hugeId}`, "__proto__", "me 5 5 5-5"],
      ["HSET", `${key}:cursors:b`, "a", "no id", "y", hugeId],
    ]);
    await a.append("one");
    const reading = opened(following(b));
    await waitFor(() => expect(reading.seen).toEqual(["a:1"]));
    expect(Object.keys((await b.stats()).origins)).toContain("a");
    expect(reading.error).toBeUndefined();
  });
});

it("a relay brings what it finds in a stream, whatever it is, and goes on with the others", async () => {
  const { east, west, carry, key } = await regionsOf("Redis protocol", opened);
  const { emitted } = carry(east, west);
  const [a, c] = [east.log<number>("a"), east.log<number>("c")];
  await a.append(1);
  await east.redis.command("XADD", `${key}:a`, hugeId, "some", "thing");
  await east.redis.command("HSET", key, "odd", "no words");
  await c.append(1);
  await waitFor(async () => expect([await west.length("a"), await west.length("c")]).toEqual([2, 1]));
  await c.append(2);
  await waitFor(async () => expect(await west.length("c")).toBe(2));
  expect(emitted.repaired).toEqual([]);
  expect(emitted.error).toEqual([]);
});
