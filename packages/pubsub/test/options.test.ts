import { isConfigError } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { describe, expect, it } from "vitest";
import { PubSub, type PubSubOptions } from "../src/index.ts";

const opened = closing();

/** A call with options that TypeScript would refuse. */
const untyped = (options: unknown) => options as never;

const open = (options: unknown = {}) => {
  const transport = opened(memoryTransport());
  const sent: unknown[] = [];
  const send = (...call: Parameters<typeof transport.send>) => {
    sent.push(call);
    return transport.send(...call);
  };
  return { pubsub: opened(new PubSub({ transport: { ...transport, send } }, options as PubSubOptions)), sent };
};

const settle = async (call: () => unknown): Promise<unknown> => {
  try {
    return await call();
  } catch (error) {
    return error;
  }
};

describe("a wrong option is a ConfigError that names it", () => {
  it.each<[unknown, string, RegExp]>([
    [{ watchDog: "1s" }, "watchDog", /Did you mean `watchdog`/],
    [{ maxMessagesBytes: 5 }, "maxMessagesBytes", /Did you mean `maxMessageBytes`/],
    [{ limit: 5 }, "limit", /new PubSub has no option "limit"/],
    ["5s", "new PubSub", /takes its options as an object/],
    [null, "new PubSub", /takes its options as an object/],
    [{ maxMessageBytes: 0 }, "maxMessageBytes", /whole number of at least 1, got 0/],
    [{ timeout: -1 }, "timeout", /positive number of seconds.*got -1/],
    [{ timeout: "5 s" }, "timeout", /got "5 s"/],
    [{ watchdog: 0 }, "watchdog", /got 0/],
    [{ codec: "msgpack" }, "codec", /a Codec such as json\(\), or a list, got "msgpack"/],
    [{ probeChannel: "" }, "probeChannel", /name of a channel/],
    [{ replay: "yes" }, "replay", /true, false or/],
    [{ replay: { counts: 5 } }, "counts", /Did you mean `count`/],
    [{ replay: { count: 1.5 } }, "replay.count", /got 1.5/],
    [{ replay: { age: "soon" } }, "replay.age", /got "soon"/],
    [{ buffer: { whenFull: "drop" } }, "buffer.whenFull", /"drop-oldest", "conflate", "disconnect", got "drop"/],
    [{ buffer: { maxMessage: 5 } }, "maxMessage", /Did you mean `maxMessages`/],
    [{ buffer: { maxBytes: "1mb" } }, "buffer.maxBytes", /got "1mb"/],
    [{ buffer: { key: () => "" } }, "key", /only with `whenFull: "conflate"`/],
  ])("of the constructor: %o", async (options, setting, message) => {
    const error = await settle(() => open(options));
    expect(isConfigError(error)).toBe(true);
    expect(error).toMatchObject({ setting, message: expect.stringMatching(message) });
  });

  it("of the constructor, also where the transport should be", async () => {
    for (const backend of [{}, undefined, { transport: "redis://127.0.0.1" }]) {
      expect(await settle(() => new PubSub(untyped(backend)))).toMatchObject({ name: "ConfigError" });
    }
  });

  it.each<[string, (pubsub: PubSub) => unknown, RegExp]>([
    ["subscribe", (it) => it.subscribe("c", untyped({ onmessage: () => {} })), /Did you mean `onMessage`/],
    ["subscribe", (it) => it.subscribe("c", untyped({ onMessage: 5 })), /`onMessage` to be a function, got 5/],
    ["subscribe", (it) => it.subscribe("c", untyped({ onGap: null })), /`onGap` to be a function, got null/],
    ["subscribe", (it) => it.subscribe("c", untyped({ timeout: 0 })), /`timeout`/],
    ["subscribe", (it) => it.subscribe("c", untyped({ signal: "now" })), /AbortSignal, got "now"/],
    ["subscribe", (it) => it.subscribe("c", untyped({ replay: true, after: "start" })), /`after`/],
    ["subscribe", (it) => it.subscribe("c", untyped({ replay: true, after: { epoch: 1, seq: -2 } })), /`after`/],
    ["subscribe", (it) => it.subscribe("c", { after: "beginning" }), /only together with `replay`/],
    ["subscribe", (it) => it.subscribe(["c", "d"], { replay: true, after: "beginning" }), /one channel/],
    [
      "subscribe",
      (it) =>
        it.subscribe(
          "c",
          untyped(() => {}),
        ),
      /takes its options as an object/,
    ],
    ["psubscribe", (it) => it.psubscribe("c*", untyped({ replay: true })), /psubscribe has no option "replay"/],
    ["publish", (it) => it.publish("c", 1, untyped({ reply: true })), /Did you mean `replay`/],
    ["publish", (it) => it.publish("c", 1, untyped({ ttl: 5 })), /publish has no option "ttl"/],
    ["publish", (it) => it.publish("c", 1, untyped({ fallback: "false" })), /`fallback` to be true or false/],
    ["publish", (it) => it.publish("c", 1, untyped(60)), /takes its options as an object/],
    ["listen", (it) => it.listen(untyped({ signals: null })), /Did you mean `signal`/],
    ["listen", (it) => it.listen(untyped({ signal: {} })), /AbortSignal/],
    ["on", (it) => it.on(untyped("massage"), () => {}), /"message"/],
    ["on", (it) => it.on("message", untyped(undefined)), /listener/],
  ])("of %s, before anything is sent", async (_, call, message) => {
    const { pubsub, sent } = open();
    const error = await settle(() => call(pubsub));
    expect(isConfigError(error)).toBe(true);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(sent).toEqual([]);
  });
});
