import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createWebSocketBridge } from "../../src/websocket.ts";
import { pacedChannel, pacedSocket } from "./stand-in.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const flushed = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve();
};

type Step =
  | { readonly do: "publish"; readonly size: number; readonly replay: boolean }
  | { readonly do: "hand"; readonly pick: number }
  | { readonly do: "drain"; readonly client: number; readonly to: number }
  | { readonly do: "look" | "wait" }
  | { readonly do: "trim"; readonly keep: number };

const steps = (trims: boolean) =>
  fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant("publish" as const), size: fc.nat(120), replay: fc.boolean() }),
      },
      { weight: 12, arbitrary: fc.record({ do: fc.constant("hand" as const), pick: fc.nat(9) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant("drain" as const), client: fc.nat(2), to: fc.nat(300) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("look" as const, "wait" as const) }) },
      ...(trims ? [{ weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), keep: fc.nat(4) }) }] : []),
    ),
    { maxLength: 120 },
  ) as fc.Arbitrary<Step[]>;

/** What three clients get of one channel, in any order of publishing, handing out, reading and looking. */
async function run(replay: boolean, program: readonly Step[]) {
  const channel = pacedChannel();
  const bridge = createWebSocketBridge(channel, {
    authorize: () => true,
    replay: () => replay,
    maxBufferedBytes: 400,
    patience: "1h",
    heartbeat: false,
  });
  const sockets = [pacedSocket(), pacedSocket(), pacedSocket()];
  for (const socket of sockets) {
    bridge.accept(socket, undefined);
    socket.hear({ type: "subscribe", channel: "c" });
  }
  // Resumes from before anything was there.
  await flushed();
  const published: { id: number; placed: boolean }[] = [];
  const look = async () => {
    await vi.advanceTimersByTimeAsync(50);
    await flushed();
  };
  for (const step of program) {
    if (step.do === "publish") {
      const placed = step.replay;
      const id = published.push({ id: published.length, placed }) - 1;
      channel.publish({ id, padding: "x".repeat(step.size) }, { replay: placed });
    } else if (step.do === "hand") channel.step(step.pick);
    else if (step.do === "drain") {
      const socket = sockets[step.client];
      if (socket) socket.bufferedAmount = Math.min(socket.bufferedAmount, step.to);
    } else if (step.do === "trim") channel.trim(step.keep);
    else if (step.do === "look") await look();
    else await flushed();
  }
  // With one more message, which all get, everybody is where the others are.
  published.push({ id: published.length, placed: replay });
  channel.publish({ id: published.length - 1 }, { replay });
  for (let round = 0; round < 200; round++) {
    for (const socket of sockets) socket.bufferedAmount = 0;
    await channel.settle();
    await look();
  }
  expect(bridge.stats()).toMatchObject({ lagging: 0, catchingUp: 0, channels: 1 });
  await bridge.close();
  const told = sockets.map(({ frames }) => ({
    ids: frames.filter(({ type }) => type === "message").map(({ data }) => (data as { id: number }).id),
    missed: frames.filter(({ type }) => type === "gap").reduce((sum, { missed }) => sum + Number(missed), 0),
  }));
  return { published, told };
}

describe("in any order of publishing, delivering and reading", () => {
  it("every message of a history arrives once, in order; others arrive or are counted", async () => {
    await fc.assert(
      fc.asyncProperty(steps(false), async (program) => {
        const { published, told } = await run(true, program);
        const placed = published.filter((message) => message.placed).map(({ id }) => id);
        const isPlaced = new Set(placed);
        for (const { ids, missed } of told) {
          expect(ids.filter((id) => isPlaced.has(id))).toEqual(placed);
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids.length + missed).toBe(published.length);
        }
      }),
      runs(150),
    );
  });

  it("lost messages of the history are counted exactly", async () => {
    await fc.assert(
      fc.asyncProperty(steps(true), async (program) => {
        const { published, told } = await run(true, program);
        for (const { ids, missed } of told) {
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids.length + missed).toBe(published.length);
        }
      }),
      runs(150),
    );
  });

  it("without a history every message arrives in order, or is counted", async () => {
    await fc.assert(
      fc.asyncProperty(steps(false), async (program) => {
        const { published, told } = await run(false, program);
        for (const { ids, missed } of told) {
          expect(ids).toEqual([...new Set(ids)].sort((one, other) => one - other));
          expect(ids.length + missed).toBe(published.length);
        }
      }),
      runs(150),
    );
  });
});
