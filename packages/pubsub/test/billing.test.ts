import { closing, servers } from "@continuum-cache/fixtures";
import { describe, expect, it, vi } from "vitest";
import { type Message, type Published, PubSub } from "../src/index.ts";

// What Upstash bills: each command, those that a script runs included.

const opened = closing();
/** Connecting and asking for statistics is not billed, or not ours. */
const isFree = (name: string): boolean => /^(config\||info$|ping$|client\||hello$|auth$|select$|script\|)/.test(name);

describe.each(servers)("over $name", (backend) => {
  const start = async () => {
    const server = opened(await backend.open());
    const { redis } = server;
    if (!redis) throw new Error("Expected a server that counts");
    const billed = async (work: () => Promise<unknown>) => {
      await redis.resetStats();
      await work();
      return Object.fromEntries(Object.entries(await redis.commandStats()).filter(([name]) => !isFree(name)));
    };
    const open = (options = {}) => opened(new PubSub({ transport: server.connect() }, options));
    return { billed, open };
  };

  it("bills 1 command for a message", async () => {
    const { billed, open } = await start();
    const [here, there] = [open(), open()];
    await there.subscribe("c", { onMessage: () => {} });
    for (let count = 0; count < 3; count++) {
      expect(await billed(() => here.publish("c", { count }))).toEqual({ publish: 1 });
    }
  });

  it("bills 3 for a message with a history; the first also finds out what there is, and every age/8 one looks after it", async () => {
    const { billed, open } = await start();
    const [here, there] = [open(), open()];
    const replay = { count: 100, age: "1h" } as const;
    const first = await billed(() => here.publish("c", 0, { replay }));
    expect(total(first)).toBeLessThanOrEqual(10);
    for (let count = 0; count < 150; count++) {
      expect(await billed(() => here.publish("c", count, { replay }))).toEqual({ evalsha: 1, xadd: 1, publish: 1 });
    }
    // One who has never published to a history that is there.
    expect(total(await billed(() => there.publish("c", 0, { replay })))).toBeLessThanOrEqual(20);
    expect(await billed(() => there.publish("c", 0, { replay }))).toEqual({ evalsha: 1, xadd: 1, publish: 1 });
  });

  it("bills one script call for the messages of one tick to a history, which keep their order and their places", async () => {
    const { billed, open } = await start();
    const [here, there] = [open(), open()];
    const heard: unknown[] = [];
    await there.subscribe("c", { onMessage: ({ data }) => void heard.push(data) });
    const replay = { count: 100 } as const;
    const { position } = await here.publish("c", 0, { replay });
    const numbers = Array.from({ length: 50 }, (_, at) => at + 1);
    let published: readonly Published[] = [];
    const stats = await billed(async () => {
      published = await Promise.all(numbers.map((number) => here.publish("c", number, { replay })));
    });
    expect(stats).toEqual({ evalsha: 1, xadd: 50, publish: 50 });
    expect(published.map((each) => each.position?.seq)).toEqual(
      numbers.map((number) => Number(position?.seq) + number),
    );
    await vi.waitFor(() => expect(heard).toEqual([0, ...numbers]), { timeout: 60_000, interval: 5 });
  });

  it("bills little for listening, and nothing for whoever joins a process that listens already", async () => {
    const { billed, open } = await start();
    const pubsub = open();
    const onMessage = (): void => {};
    const first = await billed(() => pubsub.subscribe("c", { onMessage }));
    expect(Object.keys(first)).toEqual(["subscribe"]);
    expect(await billed(() => pubsub.subscribe("c", { onMessage }))).toEqual({});
    const more = await billed(() => pubsub.subscribe("d", { onMessage }));
    // Over REST a larger stream takes the place of the one before it: one message parts the two.
    expect(Object.keys(more).filter((name) => !["subscribe", "unsubscribe", "publish"].includes(name))).toEqual([]);
    expect(more["publish"] ?? 0).toBeLessThanOrEqual(1);
  });

  it("bills 1 more to begin with a history, and a page of 64 messages for 3", async () => {
    const { billed, open } = await start();
    const [here, there] = [open(), open()];
    const replay = { count: 1_000 };
    for (let count = 0; count < 100; count++) await there.publish("c", count, { replay });
    const { subscribe: _, ...begin } = await billed(() => here.subscribe("c", { replay, onMessage: () => {} }));
    expect(begin).toEqual({ xrevrange: 1 });
    const messages: Message[] = [];
    const catchUp = await billed(async () => {
      const onMessage = (message: Message): void => void messages.push(message);
      await here.subscribe("c", { replay, after: "beginning", onMessage });
      await vi.waitFor(() => expect(messages.length).toBe(100), { timeout: 60_000, interval: 5 });
    });
    expect(total(catchUp)).toBeLessThanOrEqual(6);
  });

  it("bills one proof of life in each watchdog's time to a process that only listens", async () => {
    const { billed, open } = await start();
    const pubsub = open({ watchdog: "200ms", probeTimeout: "1s" });
    for (const channel of ["a", "b", "c"]) await pubsub.subscribe(channel, { onMessage: () => {} });
    await pubsub.subscribe("kept", { replay: true, onMessage: () => {} });
    let proofs = 0;
    const beganMs = performance.now();
    const idle = await billed(async () => {
      while (performance.now() - beganMs < 2_500) await new Promise((resolve) => setTimeout(resolve, 50));
      proofs = (performance.now() - beganMs) / 200;
    });
    const { publish = 0, ...others } = idle;
    expect(others).toEqual({});
    expect(publish).toBeGreaterThan(0);
    // Each wait is from nine to eleven tenths.
    expect(publish).toBeLessThanOrEqual(Math.ceil(proofs / 0.9) + 1);
  });
});

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
