import { describe, expect, it } from "vitest";
import { all, closing, following, logsOn, named, waitFor } from "./logs.ts";

const opened = closing();

describe.each(all)("events that are too old, over $name", (backend) => {
  it("go away by themselves, whether anybody appends or not, and those that are young stay", async () => {
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
    // The origin is gone: those who read it see to it.
    opened(following(open("b", { retention: "1s", pollInterval: "200ms", lease: "400ms" })));
    await waitFor(async () => expect(await lengthOf()).toBe(0));
    expect(await open("a").append(5)).toMatchObject({ seq: 5 });
  });

  it("are counted by a reader that was away for longer, though the stream is empty", async () => {
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
    // It is told once.
    await again.stop();
    const once = opened(following(b));
    await a.append(6);
    await waitFor(() => expect(once.seen).toEqual(["a:6"]));
  });

  it("go away in bulk with an append", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const a = open("a", { retention: "1s", lease: "1m" });
    await a.appendMany(Array.from({ length: 1_000 }, (_, n) => n));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await a.append(1_000);
    // Whole nodes of a stream go, of some hundred entries.
    expect(Number((await connect().send([["XLEN", `${key}:a`]]))[0])).toBeLessThan(500);
  });
});
