import { setImmediate as breathe } from "node:timers/promises";
import { closing, memory, servers } from "@continuum-cache/fixtures";
import { describe, expect, it, vi } from "vitest";
import { type Gap, type Message, PubSub, SlowConsumerError } from "../src/index.ts";

const opened = closing();

const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 60_000, interval: 5 });

describe.each([...servers, memory])("messages over $name", (backend) => {
  const start = async () => {
    const server = opened(await backend.open());
    const open = (options = {}) => opened(new PubSub({ transport: server.connect() }, options));
    return { server, open };
  };

  it("are heard by whoever listens to the channel or to a pattern of it", async () => {
    const { open } = await start();
    const [here, there] = [open(), open()];
    const heard: Message[] = [];
    await here.subscribe("ws:memory:updates");
    await here.psubscribe("ws:*");
    here.on("message", (message) => heard.push(message));
    const { receivers } = await there.publish("ws:memory:updates", { type: "memory_updated" });
    await until(() => heard.length === 2);
    expect(receivers).toBeGreaterThan(0);
    expect(
      heard.map(({ channel, pattern, data }) => ({ channel, pattern, data })).sort((a) => (a.pattern ? 1 : -1)),
    ).toEqual([
      { channel: "ws:memory:updates", pattern: undefined, data: { type: "memory_updated" } },
      { channel: "ws:memory:updates", pattern: "ws:*", data: { type: "memory_updated" } },
    ]);
  });

  it("are heard by a loop, those too that came before it began", async () => {
    const { open } = await start();
    const pubsub = open();
    await pubsub.subscribe(["a", "b"]);
    for (let count = 0; count < 20; count++) await pubsub.publish(count % 2 ? "a" : "b", count);
    const seen: unknown[] = [];
    for await (const { data } of pubsub.listen<number>()) {
      seen.push(data);
      if (seen.length === 20) break;
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, count) => count));
  });

  it("go on being heard while more and more is listened to", async () => {
    const { open } = await start();
    const [here, there] = [open(), open()];
    const heard = new Map<string, number[]>();
    const gaps: Gap[] = [];
    here.on("gap", (gap) => gaps.push(gap));
    const listen = (channel: string) =>
      here.subscribe<number>(channel, {
        onMessage: ({ data }) => void heard.set(channel, [...(heard.get(channel) ?? []), data]),
      });
    await listen("first");
    let isOver = false;
    const publishing = (async () => {
      let count = 0;
      for (; !isOver; count++) {
        await there.publish("first", count);
        // In memory nothing else would get its turn.
        await breathe();
      }
      return count;
    })();
    for (const channel of ["second", "third", "fourth"]) {
      await listen(channel);
      await there.publish(channel, 0);
    }
    await until(() => (heard.get("first")?.length ?? 0) > 50);
    isOver = true;
    const count = await publishing;
    await until(() => heard.get("first")?.length === count);
    expect(heard.get("first")).toEqual(Array.from({ length: count }, (_, index) => index));
    await until(() => heard.size === 4);
    expect(gaps).toEqual([]);
  });

  it("of a replay channel come in order, each once, to those who were there and to those who come later", async () => {
    const { open } = await start();
    const [here, there, late] = [open(), open(), open()];
    const heard: Message<number>[] = [];
    await here.subscribe<number>("orders", { replay: true, onMessage: (message) => void heard.push(message) });
    const published = [];
    for (let count = 0; count < 100; count++) published.push(await there.publish("orders", count, { replay: true }));
    await until(() => heard.length === 100);
    expect(heard.map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, count) => count));
    expect(heard.map(({ position }) => position)).toEqual(published.map(({ position }) => position));

    const resumed: number[] = [];
    const after = heard[49]?.position as NonNullable<Message["position"]>;
    const subscription = await late.subscribe<number>("orders", {
      replay: true,
      after,
      onMessage: ({ data }) => void resumed.push(data),
    });
    await there.publish("orders", 100, { replay: true });
    await until(() => resumed.length === 51);
    expect(resumed).toEqual(Array.from({ length: 51 }, (_, count) => count + 50));
    expect(subscription.position?.seq).toBe(100);

    const all: number[] = [];
    await late.subscribe<number>("orders", {
      replay: true,
      after: "beginning",
      onMessage: ({ data }) => void all.push(data),
    });
    await until(() => all.length === 101);
    expect(all).toEqual(Array.from({ length: 101 }, (_, count) => count));
  });

  it("have a history wherever their PubSub says so, unless a call says otherwise", async () => {
    const { open } = await start();
    const pubsub = open({ replay: { count: 100, age: "1m" } });
    expect(await pubsub.publish("c", 1)).toMatchObject({ position: { seq: 0 } });
    expect(await pubsub.publish("c", 2, { replay: false })).toEqual({ receivers: 0 });
    const seen: unknown[] = [];
    await pubsub.subscribe("c", { after: "beginning", onMessage: ({ data }) => void seen.push(data) });
    await pubsub.publish("c", 3);
    await until(() => seen.length === 2);
    expect(seen).toEqual([1, 3]);
    await expect(pubsub.subscribe("c", { replay: false, after: "beginning" })).rejects.toThrow("only together with");
  });

  it("that are no longer kept are counted exactly", async () => {
    const { open } = await start();
    const pubsub = open();
    const replay = { count: 10, age: "1h" } as const;
    const { position } = await pubsub.publish("c", 0, { replay });
    for (let count = 1; count < 500; count++) await pubsub.publish("c", count, { replay });
    const seen: number[] = [];
    const gaps: Gap[] = [];
    await pubsub.subscribe<number>("c", {
      replay,
      after: position as NonNullable<typeof position>,
      onMessage: ({ data }) => void seen.push(data),
      onGap: (gap) => void gaps.push(gap),
    });
    await until(() => seen.at(-1) === 499);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({ channel: "c", reason: "trimmed", missed: (seen[0] as number) - 1 });
    expect(seen.length + (gaps[0]?.missed as number)).toBe(499);
  });

  it("that a loop is too slow for end it, where that was asked for, and it resumes where it was", async () => {
    const { open } = await start();
    const pubsub = open({ replay: true, buffer: { maxMessages: 10, whenFull: "disconnect" } });
    await pubsub.subscribe("c");
    await pubsub.publish("c", 0);
    const seen: number[] = [];
    let error: unknown;
    try {
      for await (const { data } of pubsub.listen<number>()) {
        seen.push(data);
        if (data > 0) continue;
        for (let count = 1; count <= 50; count++) await pubsub.publish("c", count);
        await breathe();
      }
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SlowConsumerError);
    const after = (error as SlowConsumerError).positions.get("c");
    const resumed: number[] = [];
    const onMessage = ({ data }: Message<number>): void => void resumed.push(data);
    await pubsub.subscribe<number>("c", { after: after as NonNullable<typeof after>, onMessage });
    await until(() => resumed.at(-1) === 50);
    expect([...seen, ...resumed]).toEqual(Array.from({ length: 51 }, (_, count) => count));
  });

  it("end with close(), and the loop with them", async () => {
    const { open } = await start();
    const pubsub = open();
    await pubsub.subscribe("c");
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const { data } of pubsub.listen()) seen.push(data);
      return seen;
    })();
    await pubsub.publish("c", 1);
    await until(() => seen.length === 1);
    await pubsub.close();
    await pubsub.close();
    expect(await loop).toEqual([1]);
    await expect(pubsub.subscribe("c")).rejects.toMatchObject({ kind: "closed" });
    await expect(pubsub.publish("c", 1)).rejects.toMatchObject({ kind: "closed" });
  });

  it("end with their transport, the loop and its process's patience too", async () => {
    const server = opened(await backend.open());
    const transport = server.connect();
    const pubsub = opened(new PubSub({ transport }));
    await pubsub.subscribe("c");
    const loop = (async () => {
      for await (const message of pubsub.listen()) expect(message).toBeUndefined();
      return "over";
    })();
    await transport.close();
    expect(await loop).toBe("over");
    await expect(pubsub.subscribe("d")).rejects.toMatchObject({ kind: "closed" });
  });
});
