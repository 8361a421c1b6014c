import { type Message, type Subscription, type Transport, TransportError } from "@continuum-cache/core";
import { type MemoryTransport, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

let primary: Switchable;
/** The streams of the primary, broken or held back at will, while its commands go on or fail by themselves. */
let streams: { break(): void; hold(): () => void; refuse(error: TransportError | undefined): void };
let local: MemoryTransport;
let transport: Transport;
const heard: string[] = [];
const interruptions: string[] = [];
const listener = {
  message: ({ channel, data, degraded }: Message) =>
    void heard.push(`${channel}: ${data}${degraded ? " (degraded)" : ""}`),
  interrupted: ({ kind }: TransportError) => void interruptions.push(kind),
};
const gone = (kind: TransportError["kind"]): TransportError =>
  new TransportError(kind, "the stream broke", { transport: "switchable" });

function withStreams(store: Switchable, growing: boolean): Switchable {
  const open = new Set<(error: TransportError) => void>();
  let held: Promise<void> | undefined;
  let refusal: TransportError | undefined;
  streams = {
    break() {
      for (const interrupt of [...open]) interrupt(gone("unreachable"));
    },
    hold() {
      let release = (): void => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    refuse(error) {
      refusal = error;
    },
  };
  const subscribe: Transport["subscribe"] = async (topics, own, options) => {
    await held;
    if (refusal) throw refusal;
    const subscription = await (store.store as Required<Transport>).subscribe(topics, own, options);
    const interrupt = (error: TransportError): void => {
      open.delete(interrupt);
      void subscription.close();
      own.interrupted(error);
    };
    open.add(interrupt);
    const { add, remove } = subscription as Required<Subscription>;
    return {
      ...(growing && {
        async add(...args: Parameters<typeof add>) {
          await held;
          if (refusal) throw refusal;
          await add(...args);
        },
        remove,
      }),
      async close() {
        open.delete(interrupt);
        await subscription.close();
      },
    };
  };
  return { ...store, subscribe };
}

function start(growing = true): void {
  primary = withStreams(switchable(), growing);
  local = memoryTransport();
  transport = withFallback(primary, local, { healthCheckInterval: "10s" });
}
const subscribe = (topics = { channels: ["c"] }) => (transport as Required<Transport>).subscribe(topics, listener);
const publish = (data: string, channel = "c") => transport.send([["PUBLISH", channel, data]]);
const away = async (): Promise<void> => {
  primary.fail("quota", { delivery: "none" });
  await transport.send([["PING"]]);
  expect(transport.status?.currentBackend).toBe("local");
};
const back = async (): Promise<void> => {
  primary.restore();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(transport.status?.currentBackend).toBe("upstash");
};

beforeEach(() => {
  vi.useFakeTimers();
  heard.length = 0;
  interruptions.length = 0;
  start();
});
afterEach(async () => {
  primary.restore();
  await transport.close();
  vi.useRealTimers();
});

describe("a subscription made while the primary answers", () => {
  it("hears the primary, and local messages while commands fail and the stream works", async () => {
    const subscription = await subscribe();
    await publish("1");
    await away();
    await publish("2");
    // Others may still reach it.
    await primary.store.send([["PUBLISH", "c", "3"]]);
    await back();
    await publish("4");
    expect(heard).toEqual(["c: 1", "c: 2 (degraded)", "c: 3", "c: 4"]);
    expect(interruptions).toEqual([]);
    expect(subscription.degraded).toBeUndefined();
    await subscription.close();
    expect(await local.send([["PUBLISH", "c", "x"]])).toEqual([0]);
    expect(await primary.store.send([["PUBLISH", "c", "x"]])).toEqual([0]);
  });

  it("is interrupted once when the primary's stream breaks, and hears neither side any more", async () => {
    const subscription = await subscribe();
    await away();
    streams.break();
    streams.break();
    await publish("1");
    await back();
    expect(heard).toEqual([]);
    expect(interruptions).toEqual(["unreachable"]);
    expect(await local.send([["PUBLISH", "c", "x"]])).toEqual([0]);
    await expect(subscription.add?.({ channels: ["d"] })).rejects.toBeInstanceOf(TransportError);
    await subscription.remove?.({ channels: ["c"] });
    await subscription.close();
    expect(interruptions).toHaveLength(1);
  });

  it("adds and removes topics on both sides", async () => {
    const { add, remove } = (await subscribe()) as Required<Subscription>;
    await add({ channels: ["d"], patterns: ["p:*"] });
    await remove({ channels: ["c"] });
    const everywhere = async (): Promise<void> => {
      for (const channel of ["c", "d", "p:1"]) await publish("x", channel);
    };
    await everywhere();
    await away();
    await everywhere();
    expect(heard).toEqual(["d: x", "p:1: x", "d: x (degraded)", "p:1: x (degraded)"]);
  });

  it("adds no topic locally that was removed while the primary was adding it", async () => {
    const { add, remove } = (await subscribe()) as Required<Subscription>;
    const release = streams.hold();
    const adding = add({ channels: ["d", "e"] });
    const removing = remove({ channels: ["d"] });
    release();
    await Promise.all([adding, removing]);
    await away();
    for (const channel of ["d", "e"]) await publish("x", channel);
    expect(heard).toEqual(["e: x (degraded)"]);
  });

  it("stays as it was on both sides when the primary refuses a topic, and commands go on", async () => {
    const { add } = (await subscribe()) as Required<Subscription>;
    streams.refuse(gone("unauthorized"));
    await expect(add({ channels: ["d"] })).rejects.toMatchObject({ kind: "unauthorized" });
    expect(transport.status?.currentBackend).toBe("upstash");
    await away();
    for (const channel of ["d", "c"]) await publish("x", channel);
    expect(heard).toEqual(["c: x (degraded)"]);
  });

  it("has neither add nor remove if the primary's stream has none", async () => {
    start(false);
    expect(Object.keys(await subscribe())).toEqual(["close"]);
  });

  it("is interrupted when the transport is closed", async () => {
    await subscribe();
    await transport.close();
    expect(interruptions).toEqual(["closed"]);
  });
});

describe("a message whose PUBLISH got no answer", () => {
  const lose = (): void => {
    primary.fate((commands) => (commands.some(([name]) => name === "PUBLISH") ? "lost" : "done"));
  };

  it("is heard once when the primary has it", async () => {
    await subscribe({ channels: ["c"] });
    lose();
    expect(await publish("1")).toEqual([1]);
    expect(transport.status?.currentBackend).toBe("local");
    await publish("2");
    expect(heard).toEqual(["c: 1", "c: 2 (degraded)"]);
  });

  it("is heard once for each topic", async () => {
    await (transport as Required<Transport>).subscribe({ channels: ["c"], patterns: ["?", "c*"] }, listener);
    lose();
    await publish("1");
    expect(heard).toEqual(["c: 1", "c: 1", "c: 1"]);
  });

  it("is heard once when the primary runs it later, and so is an equal one that others publish", async () => {
    await subscribe();
    primary.fail("timeout");
    await publish("1");
    expect(heard).toEqual(["c: 1 (degraded)"]);
    await primary.store.send([["PUBLISH", "c", "1"]]);
    expect(heard).toHaveLength(1);
    await primary.store.send([["PUBLISH", "c", "1"]]);
    expect(heard).toEqual(["c: 1 (degraded)", "c: 1"]);
  });

  it("is heard locally if the primary does not have it, and so is a later equal message", async () => {
    await subscribe();
    primary.fail("timeout");
    await transport.send([
      ["PUBLISH", "c", "1"],
      ["PUBLISH", "c", "1"],
    ]);
    await publish("1");
    await back();
    await publish("1");
    expect(heard).toEqual(["c: 1 (degraded)", "c: 1 (degraded)", "c: 1 (degraded)", "c: 1"]);
  });

  it("is also heard by local subscriptions", async () => {
    await away();
    await subscribe();
    await publish("1");
    expect(heard).toEqual(["c: 1 (degraded)"]);
  });

  it("is heard as bytes, once", async () => {
    const seen: unknown[] = [];
    await (transport as Required<Transport>).subscribe(
      { channels: ["c"] },
      { ...listener, message: ({ data }) => seen.push(data) },
    );
    lose();
    await transport.send([["PUBLISH", "c", new Uint8Array([0xff, 1])]]);
    await primary.store.send([["PUBLISH", "c", new Uint8Array([0xff, 2])]]);
    expect(seen).toEqual([new Uint8Array([0xff, 1]), new Uint8Array([0xff, 2])]);
  });
});

describe("a subscribe that is in flight when the primary fails", () => {
  it("hears both sides if its stream opens after all", async () => {
    const release = streams.hold();
    const call = subscribe();
    await vi.advanceTimersByTimeAsync(0);
    await away();
    release();
    const subscription = await call;
    await publish("1");
    await primary.store.send([["PUBLISH", "c", "2"]]);
    expect(subscription.degraded).toBeUndefined();
    expect(heard).toEqual(["c: 1 (degraded)", "c: 2"]);
  });

  it("hears this process only if its stream does not open, and can add topics", async () => {
    const release = streams.hold();
    const call = subscribe();
    await vi.advanceTimersByTimeAsync(0);
    await away();
    streams.refuse(gone("timeout"));
    release();
    const subscription = (await call) as Required<Subscription>;
    expect(subscription.degraded).toBe(true);
    await subscription.add({ channels: ["d"] });
    await subscription.remove({ channels: ["c"] });
    for (const channel of ["c", "d"]) await publish("x", channel);
    expect(heard).toEqual(["d: x (degraded)"]);
    streams.refuse(undefined);
    await back();
    expect(interruptions).toEqual(["unreachable"]);
    await expect(subscription.add({ channels: ["e"] })).rejects.toMatchObject({ kind: "unreachable" });
    await subscription.remove({ channels: ["d"] });
  });

  it("rejects if only its topics are refused; commands go on", async () => {
    streams.refuse(gone("unauthorized"));
    await expect(subscribe()).rejects.toMatchObject({ kind: "unauthorized" });
    expect(transport.status?.currentBackend).toBe("upstash");
    primary.fail("unauthorized");
    expect((await subscribe()).degraded).toBe(true);
    expect(transport.status?.currentBackend).toBe("local");
  });
});
