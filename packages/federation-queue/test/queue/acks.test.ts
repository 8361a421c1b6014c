import { type Command, type Reply, type Transport, TransportError } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Held } from "../../src/queue/leases.ts";
import { createSettling, type Settled } from "../../src/queue/settling.ts";
import { createLink } from "../../src/shared/link.ts";
import { closing } from "./backends.ts";

const opened = closing();

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const source = { name: "normal", key: "q", priority: "normal", weight: 1 };
const heldOf = (entryId: string, expiresMs: number): Held =>
  ({ entryId, source, expiresMs, isDoubtful: false, fields: { i: entryId }, lease: { id: entryId } }) as Held;

function acksThrough(transport: Transport, timeoutMs: number): (held: Held, settled: Settled) => void {
  const settling = createSettling(
    createLink(transport, timeoutMs),
    { add: () => {}, flush: async () => {} },
    { remember: () => {}, forget: () => {}, suspect: () => {}, close: async () => {} },
  );
  return (held, settled) => settling.settle(held, undefined, settled);
}

describe("acks that go together", () => {
  /** Three messages that were given out, of which the first was lost to another process. */
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
      new Promise((resolve) => acks(heldOf(id, at === 0 ? 0 : Number.POSITIVE_INFINITY), resolve));
    return Promise.all(ids.map(ack));
  }
  const unknown = expect.objectContaining({ name: "TransportError", delivery: "unknown" });
  const asksWhich = (commands: readonly Command[]): boolean => commands.some(([name]) => name === "XINFO");

  it("are told apart when one of the leases was lost", async () => {
    expect(await start()).toEqual([false, true, true]);
  });

  it("are not taken for lost when their entries are cleared away before it is known which were held", async () => {
    const outcomes = await start(async (commands, store) => {
      if (asksWhich(commands)) await store.send([["XDEL", "q", "2-0"]]);
    });
    expect(outcomes).toEqual([unknown, true, true]);
  });

  it("may be done when it can't be asked which were held", async () => {
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

it("an ack of a call that may vanish waits for no other, and is answered once", async () => {
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
  const answers = new Map<unknown, (replies: Reply[]) => void>();
  const transport: Transport = {
    name: "server",
    send: ([command]) => new Promise((resolve) => answers.set(command?.at(-1), resolve)),
    close: async () => {},
  };
  const settled: unknown[] = [];
  const acks = acksThrough(transport, 60_000);
  const ack = (id: string) => acks(heldOf(id, Number.POSITIVE_INFINITY), (outcome) => settled.push(id, outcome));
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
