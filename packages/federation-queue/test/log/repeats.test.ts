import type { Command, Reply, SendOptions, Transport } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";
import { SyncLog } from "../../src/log/sync-log.ts";
import { all, closing, following, logsOn, named, waitFor } from "./logs.ts";

// Requests that arrive twice, and entries of other programs.

const opened = closing();

/** A connection on which each script arrives twice, and once more later, among those that follow it. */
function repeating(transport: Transport): Transport {
  const late: Command[] = [];
  let count = 0;
  return {
    ...transport,
    name: transport.name,
    async send(commands: readonly Command[], options?: SendOptions): Promise<Reply[]> {
      const replies = await transport.send(commands, options);
      const scripts = commands.filter(([name]) => name.startsWith("EVAL"));
      late.push(...scripts);
      if (scripts.length > 0) await transport.send(scripts, options);
      if (++count % 3 === 0 && late.length > 0) {
        const at = (count * 7) % late.length;
        await transport.send(late.slice(at, at + 1), options);
      }
      return replies;
    },
    close: () => transport.close(),
  };
}

describe.each(all)("over $name", (backend) => {
  it("adds nothing when requests arrive twice or late", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const transport = repeating(connect());
    const a = opened(new SyncLog<number>({ transport }, { instanceId: "a", key }));
    const reading = opened(following(open("b")));
    for (let n = 0; n < 30; n++) await a.appendMany([3 * n, 3 * n + 1, 3 * n + 2]);
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 90)));
    expect(reading.entries.map(({ event }) => event)).toEqual(Array.from({ length: 90 }, (_, n) => n));
    expect(await connect().send([["XLEN", `${key}:a`]])).toEqual([90]);
  });

  it("keeps its own events, and skips entries that another program adds to its stream", async () => {
    const { open, connect, key } = await logsOn<number>(backend, opened);
    const [a, b] = [open("a"), open("b")];
    const errors: string[] = [];
    a.on("error", ({ error }) => errors.push(error.message));
    b.on("error", ({ error }) => errors.push(error.message));
    const reading = opened(following(b));
    await a.append(1);
    await waitFor(() => expect(reading.seen).toEqual(["a:1"]));
    await connect().send([["XADD", `${key}:a`, `${Date.now() + 1_000}-5`, "e", "-5"]]);
    expect(await a.append(2)).toMatchObject({ seq: 6 });
    await waitFor(() => expect(reading.seen).toEqual(["a:1", "a:2..4 retention", "a:5", "a:6"]));
    expect(errors).toEqual([expect.stringContaining("Another program has written to the stream")]);
    await connect().send([["XADD", `${key}:a`, `${Date.now() + 2_000}-0`, "x", "y"]]);
    expect(await a.append(3)).toMatchObject({ seq: expect.any(Number) });
    await waitFor(() => expect(reading.entries.at(-1)?.event).toBe(3));
    expect(errors.some((one) => one.includes("a log did not write"))).toBe(true);
  });
});
