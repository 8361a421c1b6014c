import { describe, expect, it } from "vitest";
import { all, closing, following, logsOn, named, waitFor } from "./logs.ts";

const opened = closing();

describe.each(all)("events that are older than the retention, over $name", (backend) => {
  it("are trimmed with and without further appends, and younger events stay", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const admin = connect();
    const lengthOf = async () => (await admin.send([["XLEN", `${key}:a`]]))[0];
    const a = open("a", { retention: "1s", lease: "400ms" });
    await a.appendMany([1, 2, 3]);
    expect(await lengthOf()).toBe(3);
    await waitFor(async () => expect(await lengthOf()).toBe(0));
    expect(await a.append(4)).toMatchObject({ seq: 4 });
    expect(await lengthOf()).toBe(1);
    await a.close();
    // The origin is gone: its readers trim the stream.
    opened(following(open("b", { retention: "1s", pollInterval: "200ms", lease: "400ms" })));
    await waitFor(async () => expect(await lengthOf()).toBe(0));
    expect(await open("a").append(5)).toMatchObject({ seq: 5 });
  });

  it("are counted by a reader that was away for longer, although the stream is empty", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const a = open("a", { retention: "1s", lease: "400ms" });
    const b = open("b");
    const reading = following(b);
    await a.appendMany([1, 2]);
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 2)));
    await reading.stop();
    await a.appendMany([3, 4, 5]);
    await waitFor(async () => expect((await connect().send([["XLEN", `${key}:a`]]))[0]).toBe(0));
    const again = opened(following(b));
    await waitFor(() => expect(again.seen).toEqual(["a:3..5 retention"]));
    // It is reported once.
    await again.stop();
    const once = opened(following(b));
    await a.append(6);
    await waitFor(() => expect(once.seen).toEqual(["a:6"]));
  });

  it("are trimmed in bulk with an append", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const a = open("a", { retention: "1s", lease: "1m" });
    await a.appendMany(Array.from({ length: 1_000 }, (_, n) => n));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await a.append(1_000);
    // Redis trims whole nodes of a stream, of some hundred entries.
    expect(Number((await connect().send([["XLEN", `${key}:a`]]))[0])).toBeLessThan(500);
  });
});
