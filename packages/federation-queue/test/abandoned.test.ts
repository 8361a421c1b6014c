import { type Command, type Reply, type Transport, TransportError } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { FederationQueue, type Lease, SyncLog } from "@continuum-cache/federation-queue";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

// As on the edge: a request that ends takes its timers and continuations with it, and says nothing.

type Fate = "done" | "lost" | "dropped" | "unreachable";

let fate: (commands: readonly Command[]) => Fate;
/** Acks are not answered before. */
let acksWait: Promise<void> | undefined;
let store: Transport;
let transport: Transport;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
  fate = () => "done";
  acksWait = undefined;
  store = memoryTransport();
  transport = {
    ...store,
    name: "server",
    async send(commands, options) {
      const now = fate(commands);
      if (now === "unreachable")
        throw new TransportError("unreachable", "away", { transport: "server", delivery: "none" });
      if (now === "dropped") return new Promise<Reply[]>(() => {});
      const replies = await store.send(commands, options);
      if (commands.some(([name]) => name === "XACK")) await acksWait;
      return now === "lost" ? new Promise<Reply[]>(() => {}) : replies;
    },
  };
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A request that ends while the server has what it sent: nothing of it goes on. */
async function vanish(begin: () => Promise<unknown>, how: Fate = "lost"): Promise<void> {
  const { setTimeout: real } = globalThis;
  Object.assign(globalThis, { setTimeout: () => 0 });
  fate = () => how;
  void begin().catch(() => {});
  await settle();
  Object.assign(globalThis, { setTimeout: real });
  fate = () => "done";
}

/** What a call comes to within so much time. */
async function within<T>(ms: number, call: Promise<T>): Promise<T | "too late"> {
  let outcome: T | "too late" = "too late";
  call.then(
    (value) => {
      outcome = value;
    },
    (error) => {
      outcome = error;
    },
  );
  for (let passed = 0; passed < ms; passed += 25) {
    await vi.advanceTimersByTimeAsync(25);
    await settle();
  }
  return outcome;
}

describe("a queue", () => {
  const open = (): FederationQueue => new FederationQueue({ transport });

  it("gives out the messages that a vanished request had taken", async () => {
    const queue = open();
    await queue.push("one");
    await vanish(() => queue.pull({ max: 5 }));
    const leases = await within(1_000, queue.pull({ max: 5 }));
    expect((leases as readonly Lease[]).map(({ event }) => event)).toEqual(["one"]);
    const [lease] = leases as readonly Lease[];
    await within(200, (lease as Lease).ack());
    expect(await within(200, queue.stats())).toMatchObject({ depth: 0, inFlight: 0 });
  });

  it("settles an ack after one of a vanished request, and both messages are done once", async () => {
    const queue = open();
    await queue.pushMany([{ event: 1 }, { event: 2 }]);
    const [first, second] = (await within(500, queue.pull({ max: 2 }))) as readonly Lease[];
    await vanish(() => (first as Lease).ack());
    expect(await within(1_000, (second as Lease).ack())).toBeUndefined();
    expect(await within(200, queue.stats())).toMatchObject({ depth: 0, inFlight: 0 });
  });

  it("closes after acks in flight, and does not wait for those that have vanished", async () => {
    const queue = open();
    await queue.pushMany([{ event: 1 }, { event: 2 }]);
    const [first, second] = (await within(500, queue.pull({ max: 2 }))) as readonly Lease[];
    await vanish(() => (first as Lease).ack());
    let release = (): void => {};
    acksWait = new Promise((resolve) => {
      release = resolve;
    });
    const ended: string[] = [];
    const ack = (second as Lease).ack().then(() => ended.push("ack"));
    await settle();
    const closing = queue.close().then(() => ended.push("close"));
    await within(1_000, closing);
    expect(ended).toEqual([]);
    release();
    await within(1_000, Promise.all([ack, closing]));
    expect(ended).toEqual(["ack", "close"]);
  });

  it("pushes what waited as soon as a later request reaches the server, in order and once", async () => {
    const queue = open();
    fate = () => "unreachable";
    expect(await within(300, queue.push("first"))).toMatchObject({ pending: true });
    fate = () => "done";
    // The request that keeps it has ended, and the next one vanishes while it pushes.
    await vi.advanceTimersByTimeAsync(1_000);
    await vanish(() => queue.push("second"));
    await vi.advanceTimersByTimeAsync(1_000);
    const pushed = await within(3_000, queue.push("third"));
    expect(pushed).not.toHaveProperty("pending");
    expect(queue.pending).toBe(0);
    const leases = (await within(500, queue.pull({ max: 10 }))) as readonly Lease[];
    // What became of the push that vanished can't be known; the others are there once.
    expect(leases.map(({ event }) => event).filter((event) => event !== "second")).toEqual(["first", "third"]);
  });

  it("runs maintenance in the next request when one has vanished during it", async () => {
    const queue = open();
    await within(500, queue.pull());
    await vi.advanceTimersByTimeAsync(60_000);
    await vanish(() => queue.pull(), "dropped");
    await queue.push("one");
    const leases = (await within(1_000, queue.pull())) as readonly Lease[];
    expect(leases.map(({ event }) => event)).toEqual(["one"]);
  });
});

describe("a log", () => {
  const open = (): SyncLog => new SyncLog({ transport }, { instanceId: "isolate" });
  const streamLength = async (): Promise<unknown> => {
    const [keys] = await store.send([["KEYS", "*isolate*"]]);
    const lengths = await Promise.all(
      (keys as readonly string[]).map((key) =>
        store.send([
          ["TYPE", key],
          ["XLEN", key],
        ]),
      ),
    );
    return lengths.filter(([type]) => type === "stream").map(([, length]) => length);
  };

  it.each<Fate>(["lost", "dropped"])(
    "appends behind an event of a request that vanished (%s), each once",
    async (how) => {
      const log = open();
      expect(await within(500, log.append("zero"))).toMatchObject({ seq: 1 });
      await vanish(() => log.append("vanished"), how);
      expect(await within(2_000, log.append("next"))).toMatchObject({ seq: 3 });
      expect(await streamLength()).toEqual([3]);
      expect(log.pending).toBe(0);
    },
  );

  it("takes its name though the request that was about to has vanished", async () => {
    const log = open();
    await vanish(() => log.append("vanished"), "dropped");
    const appended = await within(2_000, log.append("next"));
    expect(appended).not.toHaveProperty("pending");
    expect(await streamLength()).toEqual([2]);
  });
});
