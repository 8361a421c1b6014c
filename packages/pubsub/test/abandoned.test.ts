import type { Message, Reply, Subscription, Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { type ConnectionChange, type Gap, PubSub } from "@continuum-cache/pubsub";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

// As on the edge: a request that ends takes its timers, its streams and its continuations with it, and says nothing.

let store: Transport;
let transport: Transport & { subscribe: NonNullable<Transport["subscribe"]> };
let opened: number;
/** What is never answered, as if its request had ended. */
let isDropped: (what: "subscribe" | "read" | "page") => boolean;
/** Whether a message does not arrive. */
let isLost: boolean;

// In a Worker's bundle the parts of a PubSub are there at once; here they come from the disk.
beforeAll(async () => {
  const pubsub = new PubSub({ transport: memoryTransport() });
  await pubsub.subscribe("news");
  await pubsub.publish("news", "hello");
  await pubsub.close();
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
  store = memoryTransport();
  opened = 0;
  isDropped = () => false;
  isLost = false;
  transport = {
    ...store,
    name: "server",
    send(commands, options) {
      const isPage = commands.some(([name]) => name === "XRANGE");
      if (isDropped("read") || (isPage && isDropped("page"))) return new Promise<Reply[]>(() => {});
      return store.send(commands, options);
    },
    subscribe(topics, listener, options) {
      opened++;
      if (isDropped("subscribe")) return new Promise<Subscription>(() => {});
      const arriving = { ...listener, message: (message: Message) => isLost || listener.message(message) };
      return (store as typeof transport).subscribe(topics, arriving, options);
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
const pass = async (ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 25) {
    await vi.advanceTimersByTimeAsync(25);
    await settle();
  }
};
const vanish = async (begin: () => Promise<unknown>): Promise<void> => {
  const { setTimeout: real } = globalThis;
  Object.assign(globalThis, { setTimeout: () => 0 });
  void begin().catch(() => {});
  await settle();
  Object.assign(globalThis, { setTimeout: real });
};

describe("listeners that share a stream with a request that vanishes", () => {
  it("get another stream and a gap, and go on", async () => {
    const pubsub = new PubSub({ transport });
    await vanish(() => pubsub.subscribe("news"));
    const changes: ConnectionChange["state"][] = [];
    const gaps: Gap[] = [];
    const heard: unknown[] = [];
    pubsub.on("connection", ({ state }) => changes.push(state));
    void pubsub.subscribe("news", { onMessage: ({ data }) => heard.push(data), onGap: (gap) => gaps.push(gap) });
    await pass(5_000);
    expect(changes).toEqual(["disconnected", "connected"]);
    expect(gaps).toHaveLength(1);
    expect(opened).toBe(2);
    await pubsub.publish("news", "hello");
    await pass(50);
    expect(heard).toEqual(["hello"]);
  });

  it.each(["subscribe", "read"] as const)("go on when it vanished during its first step: %s", async (what) => {
    const pubsub = new PubSub({ transport });
    isDropped = (each) => each === what;
    await vanish(() => pubsub.subscribe("news", { replay: true }));
    isDropped = () => false;
    const heard: unknown[] = [];
    const subscribed = vi.fn();
    void pubsub.subscribe("news", { replay: true, onMessage: ({ data }) => heard.push(data) }).then(subscribed);
    await pass(3_000);
    expect(subscribed).toHaveBeenCalled();
    void pubsub.publish("news", "hello", { replay: true });
    await pass(500);
    expect(heard).toEqual(["hello"]);
  });

  it("get the part of the history that it was reading, as late subscribers do, without another message", async () => {
    const pubsub = new PubSub({ transport });
    const heard: unknown[] = [];
    const gaps: Gap[] = [];
    const onGap = (gap: Gap): void => void gaps.push(gap);
    void pubsub.subscribe("news", { replay: true, onMessage: ({ data }) => heard.push(data), onGap });
    await pass(100);
    isLost = true;
    await pubsub.publish("news", "lost on its way", { replay: true });
    isLost = false;
    isDropped = (what) => what === "page";
    await vanish(() => pubsub.publish("news", "shows the hole", { replay: true }));
    expect(heard).toEqual([]);
    isDropped = () => false;
    const late: unknown[] = [];
    void pubsub.subscribe("news", {
      replay: true,
      after: "beginning",
      onMessage: ({ data }) => late.push(data),
      onGap,
    });
    await pass(1_000);
    expect(heard).toEqual(["lost on its way", "shows the hole"]);
    expect(late).toEqual(heard);
    expect(gaps).toEqual([]);
    await pubsub.publish("news", "hello", { replay: true });
    await pass(50);
    expect(late.at(-1)).toBe("hello");
    expect(heard.at(-1)).toBe("hello");
  });
});
