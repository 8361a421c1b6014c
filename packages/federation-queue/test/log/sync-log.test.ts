import { describe, expect, it } from "vitest";
import { isOriginTakenError } from "../../src/log/origin-taken-error.ts";
import { all, closing, following, logsOn, named, waitFor } from "./logs.ts";

const opened = closing();

describe.each(all)("a log over $name", (backend) => {
  it("delivers each event to every other instance, in the order of its origin", async () => {
    const { open } = await logsOn<{ n: number }>(backend, opened);
    const [a, b, c] = [open("a"), open("b"), open("c")];
    const ofB = opened(following(b));
    const ofC = opened(following(c));
    const appended = await Promise.all([1, 2, 3].map((n) => a.append({ n })));
    await b.append({ n: 10 });
    expect(appended.map(({ pending, ...at }) => [pending, at])).toMatchObject([
      [undefined, { origin: "a", seq: 1 }],
      [undefined, { origin: "a", seq: 2 }],
      [undefined, { origin: "a", seq: 3 }],
    ]);
    await waitFor(() => expect(ofB.seen).toEqual(named("a", 1, 3)));
    await waitFor(() => expect([...ofC.seen].sort()).toEqual(["a:1", "a:2", "a:3", "b:1"]));
    expect(ofB.entries.map(({ event }) => event)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(ofB.gaps).toEqual([]);
  });

  it("resumes where it left off, also in the next process", async () => {
    const { open } = await logsOn<number>(backend, opened);
    const a = open("a");
    await a.appendMany([1, 2, 3, 4, 5]);
    const first = open("b");
    const reading = following(first, { commits: false });
    await waitFor(() => expect(reading.entries.length).toBe(5));
    await reading.entries[2]?.commit();
    await reading.stop();
    await first.close();
    await a.appendMany([6]);
    const again = opened(following(open("b")));
    await waitFor(() => expect(again.seen).toEqual(named("a", 4, 6)));
    expect(again.gaps).toEqual([]);
  });

  it("continues its numbers without a hole after a restart", async () => {
    const { open } = await logsOn<number>(backend, opened);
    const reading = opened(following(open("reader")));
    for (let round = 0; round < 3; round++) {
      const a = open("a");
      const appended = await a.appendMany([1, 2]);
      expect(appended).toMatchObject([{ seq: 2 * round + 1 }, { seq: 2 * round + 2 }]);
      await a.close();
    }
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 6)));
  });

  it('begins behind the existing events with `from: "now"`', async () => {
    const { open } = await logsOn<number>(backend, opened);
    const a = open("a");
    await a.appendMany([1, 2, 3]);
    const b = open("b");
    const reading = opened(following(b, { from: "now" }));
    await waitFor(async () => expect((await b.stats()).origins["a"]?.behind).toBe(0));
    await a.append(4);
    await waitFor(() => expect(reading.seen).toEqual(["a:4"]));
    expect(reading.gaps).toEqual([]);
  });

  it("gives a name to one process at a time, and to the next as soon as the first closes", async () => {
    const { open } = await logsOn<number>(backend, opened);
    const [first, second] = [open("a"), open("a")];
    await first.append(1);
    await expect(second.append(2, { fallback: false })).rejects.toSatisfy(isOriginTakenError);
    expect(second.pending).toBe(0);
    await first.close();
    await waitFor(async () => expect(await second.append(2, { fallback: false })).toMatchObject({ seq: 2 }));
  });

  it("rejects with OriginTakenError while another living process holds the name", async () => {
    const { open } = await logsOn<number>(backend, opened);
    const [first, second] = [open("a", { lease: "200ms" }), open("a", { lease: "200ms" })];
    const errors: unknown[] = [];
    second.on("error", ({ error }) => errors.push(error));
    await first.append(1);
    expect(await second.append(2)).toMatchObject({ pending: true });
    await waitFor(() => expect(errors.some(isOriginTakenError)).toBe(true));
    await waitFor(() => expect(second.append(3)).rejects.toSatisfy(isOriginTakenError));
    const reading = following(second);
    await waitFor(() => expect(isOriginTakenError(reading.error)).toBe(true));
    expect(await first.append(4)).toMatchObject({ seq: 2 });
    await first.close();
    await waitFor(() => expect(second.pending).toBe(0));
    expect((await second.stats()).origins["a"]?.lastSeq).toBeGreaterThanOrEqual(3);
  });

  it("reports its stats", async () => {
    const { open } = await logsOn<number>(backend, opened);
    const [a, b] = [open("a"), open("b")];
    await a.appendMany([1, 2, 3]);
    const reading = opened(following(b, { commits: false }));
    await waitFor(() => expect(reading.entries.length).toBe(3));
    await reading.entries[0]?.commit();
    const stats = await b.stats();
    expect(stats).toMatchObject({
      pending: 0,
      isHolder: true,
      origins: { a: { length: 3, lastSeq: 3, behind: 2, isHeld: true }, b: { length: 0, lastSeq: 0, behind: 0 } },
    });
  });

  it("reports exactly what was trimmed while a reader was offline, and awaits resync before it continues", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const a = open("a");
    await a.appendMany([1, 2, 3]);
    const first = open("b");
    const reading = following(first);
    await waitFor(() => expect(reading.seen.length).toBe(3));
    await reading.stop();
    await first.close();
    await a.appendMany(Array.from({ length: 20 }, (_, n) => n + 4));
    await connect().send([["XTRIM", `${key}:a`, "MAXLEN", 5]]);
    const b = open("b");
    const gaps: unknown[] = [];
    b.on("gap", (gap) => gaps.push(gap));
    const order: string[] = [];
    const again = opened(
      following(b, {
        async resync({ missed }) {
          order.push(`resync ${missed}`);
          await new Promise((resolve) => setTimeout(resolve, 50));
          order.push("done");
        },
      }),
    );
    await waitFor(() => expect(again.seen).toEqual(["a:4..18 retention", ...named("a", 19, 23)]));
    expect(order).toEqual(["resync 15", "done"]);
    expect(gaps).toEqual([{ origin: "a", missed: 15, fromSeq: 4, toSeq: 18, reason: "retention" }]);
  });

  it("reports exactly the missed events when none is kept any more", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const a = open("a");
    const first = open("b");
    const reading = following(first);
    await a.appendMany([1, 2, 3]);
    await waitFor(() => expect(reading.seen.length).toBe(3));
    await reading.stop();
    await first.close();
    await a.appendMany([4, 5, 6, 7]);
    await connect().send([["XTRIM", `${key}:a`, "MAXLEN", 0]]);
    const again = following(open("b"));
    await waitFor(() => expect(again.seen).toEqual(["a:4..7 retention"]));
    await a.append(8);
    await waitFor(() => expect(again.seen).toEqual(["a:4..7 retention", "a:8"]));
    await again.stop();
    const seenLast = opened(following(open("c")));
    await waitFor(() => expect(seenLast.seen).toEqual(["a:8"]));
  });

  it("skips an event that it cannot decode, and reports it", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const a = open("a");
    await a.append(1);
    const b = open("b");
    const errors: string[] = [];
    b.on("error", ({ operation }) => errors.push(operation));
    const reading = opened(following(b));
    await waitFor(() => expect(reading.seen).toEqual(["a:1"]));
    await a.close();
    const farMs = Date.now() + 1_000;
    await connect().send([
      ["XADD", `${key}:a`, `${farMs}-2`, "e", "{not json"],
      ["XADD", `${key}:a`, `${farMs}-3`, "other", "field"],
      ["XADD", `${key}:a`, `${farMs}-4`, "e", "4"],
    ]);
    await open("a").append(5);
    await waitFor(() => expect(reading.seen).toEqual(["a:1", "a:2..2 unreadable", "a:3..3 unreadable", "a:4", "a:5"]));
    expect(errors).toEqual(["decode", "decode"]);
  });

  it("catches up on many events with few commands", async () => {
    const { open, redis } = await logsOn<number>(backend, opened);
    const a = open("a");
    await a.appendMany(Array.from({ length: 2_000 }, (_, n) => n));
    await redis?.resetStats();
    const reading = opened(following(open("b"), { batch: 500, commits: false }));
    await waitFor(() => expect(reading.entries.length).toBe(2_000));
    expect(reading.seen).toEqual(named("a", 1, 2_000));
    const stats = await redis?.commandStats();
    // Four full pages, the last page, and some for notifications and the opening of their stream.
    if (stats) expect(stats["xread"]).toBeLessThanOrEqual(10);
  });

  it("ends its loops when the log is closed or the signal fires, and rejects further calls", async () => {
    const { open } = await logsOn<number>(backend, opened);
    const [a, b] = [open("a"), open("b")];
    await a.append(1);
    const reading = following(b);
    await waitFor(() => expect(reading.seen).toEqual(["a:1"]));
    await b.close();
    await reading.stop();
    expect(reading.error).toBeUndefined();
    await expect(b.append(2)).rejects.toMatchObject({ kind: "closed", delivery: "none" });
    expect(() => b.follow()).toThrow("The log was closed");
    const aborted: unknown[] = [];
    for await (const entry of a.follow({ signal: AbortSignal.abort() })) aborted.push(entry);
    expect(aborted).toEqual([]);
  });

  it("ends a loop with the error of its resync, and reports the gap again to the next loop", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const [a, b] = [open("a"), open("b")];
    await a.append(1);
    const reading = following(b);
    await waitFor(() => expect(reading.seen.length).toBe(1));
    await reading.stop();
    await a.appendMany([2, 3, 4, 5, 6]);
    await connect().send([["XTRIM", `${key}:a`, "MAXLEN", 1]]);
    const failure = new Error("no");
    const failing = following(b, { resync: () => Promise.reject(failure) });
    await waitFor(() => expect(failing.error).toBe(failure));
    const again = opened(following(b));
    await waitFor(() => expect(again.seen).toEqual(["a:2..5 retention", "a:6"]));
  });
});
