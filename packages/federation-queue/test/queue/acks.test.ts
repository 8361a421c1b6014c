import { type Command, type Reply, type Transport, TransportError } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { LeaseRecord } from "../../src/queue/leases.ts";
import { createSettlementBatcher, type Settled } from "../../src/queue/settlement-batcher.ts";
import { createPrimaryClient } from "../../src/shared/primary-client.ts";
import { closing } from "./backends.ts";

const opened = closing();

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const stream = { name: "normal", key: "q", priority: "normal", weight: 1 };
const recordOf = (entryId: string, expiresMs: number): LeaseRecord =>
  ({ entryId, stream, expiresMs, isUncertain: false, fields: { i: entryId }, lease: { id: entryId } }) as LeaseRecord;

function acksThrough(transport: Transport, timeoutMs: number): (record: LeaseRecord, settled: Settled) => void {
  const settlements = createSettlementBatcher(createPrimaryClient(transport, timeoutMs), { acked: () => {} });
  return (record, settled) => settlements.settle(record, undefined, settled);
}

describe("acks of one round trip", () => {
  /** Three leased messages. The first lease was lost to another process. */
  async function start(hook: (commands: readonly Command[], store: Transport) => Promise<unknown> = async () => {}) {
    const store = opened(memoryTransport());
    const ids = ["1-0", "2-0", "3-0"];
    await store.send([
      ...ids.map((id): Command => ["XADD", "q", id, "i", id, "e", "1"]),
      ["XGROUP", "CREATE", "q", "workers", "0"],
      ["XREADGROUP", "GROUP", "workers", "one", "COUNT", 3, "STREAMS", "q", ">"],
      ["XACK", "q", "workers", "1-0"],
      ["XDEL", "q", "1-0"],
    ]);
    const transport: Transport = {
      ...store,
      name: "server",
      async send(commands, options) {
        await hook(commands, store);
        return store.send(commands, options);
      },
    };
    const acks = acksThrough(transport, 5_000);
    const ack = (id: string, at: number) =>
      new Promise((resolve) => acks(recordOf(id, at === 0 ? 0 : Number.POSITIVE_INFINITY), resolve));
    return Promise.all(ids.map(ack));
  }
  const unknown = expect.objectContaining({ name: "TransportError", delivery: "unknown" });
  const asksWhich = (commands: readonly Command[]): boolean => commands.some(([name]) => name === "XINFO");

  it("resolve to whether each lease was held, when one of them was lost", async () => {
    expect(await start()).toEqual([false, true, true]);
  });

  it("are not reported as lost when their entries are deleted before the check of which were held", async () => {
    const outcomes = await start(async (commands, store) => {
      if (asksWhich(commands)) await store.send([["XDEL", "q", "2-0"]]);
    });
    expect(outcomes).toEqual([unknown, true, true]);
  });

  it("end as unknown when the check of which leases were held gets no answer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const outcomes = start(async (commands) => {
      if (asksWhich(commands)) {
        throw new TransportError("unreachable", "away", { transport: "server", delivery: "none" });
      }
    });
    let isOver = false;
    void outcomes.finally(() => {
      isOver = true;
    });
    while (!isOver) await vi.advanceTimersByTimeAsync(100);
    expect(await outcomes).toEqual([unknown, unknown, unknown]);
  });
});

it("on the edge an ack waits for no other ack, and is settled once", async () => {
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
  const answers = new Map<unknown, (replies: Reply[]) => void>();
  const transport: Transport = {
    name: "server",
    send: ([command]) => new Promise((resolve) => answers.set(command?.at(-1), resolve)),
    close: async () => {},
  };
  const settled: unknown[] = [];
  const acks = acksThrough(transport, 60_000);
  const ack = (id: string) => acks(recordOf(id, Number.POSITIVE_INFINITY), (outcome) => settled.push(id, outcome));
  ack("1-0");
  await vi.waitFor(() => expect([...answers.keys()]).toEqual(["1-0"]), { timeout: 60_000 });
  ack("2-0");
  await vi.waitFor(() => expect([...answers.keys()]).toEqual(["1-0", "2-0"]), { timeout: 60_000 });
  answers.get("2-0")?.([1]);
  await vi.waitFor(() => expect(settled).toEqual(["2-0", true]), { timeout: 60_000 });
  answers.get("1-0")?.([1]);
  await vi.waitFor(() => expect(settled).toHaveLength(4), { timeout: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(settled).toEqual(["2-0", true, "1-0", true]);
});
