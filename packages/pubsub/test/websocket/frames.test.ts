import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createWebSocketBridge, type ServerSocket, type WebSocketBridgeOptions } from "../../src/websocket.ts";
import { pacedChannel, pacedSocket } from "./stand-in.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const flushed = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve();
};

function connect(options: Partial<WebSocketBridgeOptions> = {}) {
  const channel = pacedChannel();
  const bridge = createWebSocketBridge(channel, { authorize: () => true, ...options });
  const socket = pacedSocket();
  bridge.accept(socket, undefined);
  const last = () => socket.frames.at(-1);
  const hear = async (frame: unknown) => {
    socket.hear(frame);
    await flushed();
    return last();
  };
  return { channel, bridge, socket, hear };
}

describe("what a client says", () => {
  it.each([
    ["no JSON", "{", "bad-frame"],
    ["no object", "null", "bad-frame"],
    ["a list", [], "bad-frame"],
    ["an unknown type", { type: "publish", channel: "c", data: 1 }, "bad-frame"],
    ["a channel that is no text", { type: "subscribe", channel: 5 }, "bad-frame"],
    ["a position without numbers", { type: "subscribe", channel: "c", after: { epoch: "1", seq: 2 } }, "bad-frame"],
    ["a negative position", { type: "subscribe", channel: "c", after: { epoch: 1, seq: -2 } }, "bad-frame"],
    ["a frame over the limit", `{"type":"ping","padding":"${"x".repeat(16_384)}"}`, "frame-too-large"],
    ["a short frame of long characters", `{"type":"ping","padding":"${"€".repeat(6_000)}"}`, "frame-too-large"],
    ["no name", { type: "subscribe", channel: "" }, "bad-channel"],
    ["a name of 257 bytes", { type: "subscribe", channel: `${"€".repeat(85)}ab` }, "bad-channel"],
    ["half a character", '{"type":"subscribe","channel":"\\ud83d"}', "bad-channel"],
    ["where to resume without a history", { type: "subscribe", channel: "c", after: "beginning" }, "no-history"],
  ])("%s is answered by an error, and the client goes on", async (_, frame, code) => {
    const { hear, socket } = connect();
    expect(await hear(frame)).toMatchObject({ type: "error", code });
    expect(await hear({ type: "subscribe", channel: "c" })).toEqual({ type: "subscribed", channel: "c" });
    expect(socket.closed).toEqual([]);
  });

  it("is answered as asked, or by an error, and leaves nothing behind", async () => {
    const part = fc.oneof(
      fc.constantFrom("type", "channel", "after", "epoch", "seq", "subscribe", "unsubscribe", "ping", "c", "beginning"),
      fc.string({ unit: "binary", maxLength: 20 }),
    );
    const frame = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.uint8Array(),
      fc.json(),
      fc
        .dictionary(part, fc.oneof(part, fc.integer(), fc.dictionary(part, fc.integer())))
        .map((it) => JSON.stringify(it)),
      fc
        .record({
          type: fc.constantFrom("subscribe", "unsubscribe", "ping"),
          channel: fc.string({ unit: "binary", maxLength: 4 }),
          after: fc.option(fc.oneof(part, fc.record({ epoch: fc.integer(), seq: fc.double() })), { nil: undefined }),
        })
        .map((it) => JSON.stringify(it)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 30 }), async (frames) => {
        const { bridge, socket, channel } = connect({ replay: () => true });
        const raw = pacedSocket();
        let say: (event: { readonly data: unknown }) => void = () => {};
        const add = (type: string, listener: (event: { readonly data: unknown }) => void) => {
          if (type === "message") say = listener;
        };
        bridge.accept({ ...raw, frames: raw.frames, send: raw.send, addEventListener: add } as ServerSocket, undefined);
        for (const data of frames) {
          say({ data });
          if (typeof data === "string") socket.hear(data);
        }
        await flushed();
        for (const { type } of socket.frames) expect(["subscribed", "unsubscribed", "error", "pong"]).toContain(type);
        expect(socket.frames.length).toBe(frames.filter((data) => typeof data === "string").length);
        const closed = bridge.close();
        await vi.advanceTimersByTimeAsync(5_000);
        await closed;
        expect(bridge.stats()).toMatchObject({ clients: 0, channels: 0, subscriptions: 0 });
        expect(channel.subscribers).toBe(0);
        expect(vi.getTimerCount()).toBe(0);
      }),
      runs(200),
    );
  });

  it("may resume before the first message", async () => {
    const { hear, channel, socket } = connect({ replay: () => true });
    await hear({ type: "subscribe", channel: "c", after: { epoch: 1, seq: -1 } });
    expect(socket.frames).toEqual([{ type: "subscribed", channel: "c", position: { epoch: 1, seq: -1 } }]);
    channel.publish("first");
    await channel.settle();
    expect(socket.frames.at(-1)).toMatchObject({ type: "message", data: "first", position: { seq: 0 } });
  });

  it("ends the connection when it comes too often in a second", async () => {
    const { socket, bridge } = connect({ maxFramesPerSecond: 20 });
    for (let second = 0; second < 3; second++) {
      for (let frame = 0; frame < 20; frame++) socket.hear({ type: "ping" });
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(socket.closed).toEqual([]);
    for (let frame = 0; frame < 21; frame++) socket.hear({ type: "ping" });
    expect(socket.closed).toEqual([{ code: 1008 }]);
    expect(bridge.clients).toBe(0);
  });
});

describe("a client", () => {
  it("has at most `maxChannels` channels, including those that wait for `authorize`", async () => {
    const { socket, hear } = connect({ maxChannels: 2, authorize: async () => true });
    socket.hear({ type: "subscribe", channel: "a" });
    socket.hear({ type: "subscribe", channel: "b" });
    socket.hear({ type: "subscribe", channel: "c" });
    await flushed();
    expect(socket.frames.map(({ type, code, channel }) => code ?? `${type} ${channel}`)).toEqual([
      "too-many-channels",
      "subscribed a",
      "subscribed b",
    ]);
    expect(await hear({ type: "subscribe", channel: "a" })).toMatchObject({ code: "already-subscribed" });
    await hear({ type: "unsubscribe", channel: "a" });
    expect(await hear({ type: "subscribe", channel: "c" })).toEqual({ type: "subscribed", channel: "c" });
  });

  it("gets nothing of a channel that it has left, even if `authorize` was still deciding", async () => {
    let allow: (allowed: boolean) => void = () => {};
    const { channel, socket, hear, bridge } = connect({
      authorize: () =>
        new Promise((resolve) => {
          allow = resolve;
        }),
    });
    await hear({ type: "subscribe", channel: "c" });
    await hear({ type: "unsubscribe", channel: "c" });
    allow(true);
    await flushed();
    channel.publish("unheard", { replay: false });
    await channel.settle();
    expect(socket.frames).toEqual([{ type: "unsubscribed", channel: "c" }]);
    expect(bridge.stats()).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  it("is refused beyond `maxClients`, and when the bridge is closed", async () => {
    const { bridge } = connect({ maxClients: 1 });
    const second = pacedSocket();
    bridge.accept(second, undefined);
    expect(second.closed).toEqual([{ code: 1013 }]);
    await bridge.close();
    const third = pacedSocket();
    bridge.accept(third, undefined);
    expect(third.closed).toEqual([{ code: 1001 }]);
  });
});

describe("whether a client may listen", () => {
  it.each([
    ["a refusal", () => false],
    ["a late refusal", async () => false],
    ["an answer that is not quite true", () => "yes" as unknown as boolean],
    [
      "an error",
      () => {
        throw new Error("secret");
      },
    ],
    ["a rejection", () => Promise.reject(new Error("secret"))],
  ])("%s is one and the same to it, and nothing is listened to", async (_, authorize) => {
    const { hear, bridge } = connect({ authorize });
    expect(await hear({ type: "subscribe", channel: "c" })).toEqual({
      type: "error",
      code: "forbidden",
      message: "This channel is not for you",
      channel: "c",
    });
    expect(bridge.stats()).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  it("is waited for until its deadline, and reported to `onError`", async () => {
    const errors: unknown[] = [];
    const { socket } = connect({
      authorize: () => new Promise(() => {}),
      authorizeTimeout: "1s",
      onError: (error) => errors.push(error),
    });
    socket.hear({ type: "subscribe", channel: "c" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(socket.frames).toMatchObject([{ type: "error", code: "forbidden" }]);
    expect(errors).toHaveLength(1);
  });
});

describe("a message", () => {
  it("is written as it was published, bytes as base64; one that can't be sent becomes a gap of one", async () => {
    const { channel, socket, hear } = connect({ maxMessageBytes: 200 });
    await hear({ type: "subscribe", channel: "c" });
    const data = [{ a: "€😀\n" }, null, undefined, new Uint8Array([0, 255]), 1n, "x".repeat(200), 5];
    for (const each of data) channel.publish(each, { replay: false });
    await channel.settle();
    expect(socket.frames.slice(1)).toMatchObject([
      { type: "message", channel: "c", data: { a: "€😀\n" } },
      { data: null },
      { data: null },
      { data: "AP8=", encoding: "base64" },
      { type: "gap", channel: "c", missed: 1, reason: "unsendable" },
      { type: "gap", channel: "c", missed: 1, reason: "too-large" },
      { data: 5 },
    ]);
  });
});

describe("the options", () => {
  it.each([
    [{ authorize: undefined }, /`authorize` to be a function/],
    [{ replay: true }, /`replay` to be a function/],
    [{ maxChannels: 0 }, /`maxChannels` to be a whole number of at least 1, got 0/],
    [{ maxBufferedBytes: "1mb" }, /`maxBufferedBytes`.*got "1mb"/],
    [{ patience: "soon" }, /`patience`/],
    [{ heartbeat: 0 }, /`heartbeat`/],
    [{ maxClient: 5 }, /Did you mean `maxClients`/],
    [{ authorise: () => true }, /Did you mean `authorize`/],
    [{ addressOf: "ip" }, /`addressOf` to be a function/],
    [{ maxSubscribesPerSecond: 0.5 }, /`maxSubscribesPerSecond`/],
  ])("%o are refused and quoted", (options, message) => {
    const given = { authorize: () => true, ...options } as unknown as WebSocketBridgeOptions;
    const make = () => createWebSocketBridge(pacedChannel(), given);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ name: "ConfigError" }));
  });
});
