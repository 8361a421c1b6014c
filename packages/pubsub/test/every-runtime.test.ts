import { control, site } from "@continuum-cache/runtime-site";
import { same, sameIn, until } from "@continuum-cache/runtime-site/same";
import { describe, it } from "vitest";
import { msgpack } from "../../core/src/msgpack.ts";
import { restTransport } from "../../transport-rest/src/index.ts";
import { type Gap, type Message, PubSub, type PubSubOptions } from "../src/index.ts";

const withPubSub = async (options: PubSubOptions, work: (pubsub: PubSub) => Promise<void>): Promise<void> => {
  const transport = restTransport({ url: site.restUrl, token: site.restToken });
  const pubsub = new PubSub({ transport }, { maxReconnectWait: "50ms", ...options });
  try {
    await work(pubsub);
  } finally {
    await pubsub.close();
    await transport.close();
  }
};
/** Drops every connection; what is sent through one that is about to be found dead gets no answer. */
const cut = async (): Promise<void> => {
  await control("cut");
  const transport = restTransport({ url: site.restUrl, token: site.restToken });
  await until("the server answers", () =>
    transport.send([["PING"]]).then(
      () => true,
      () => false,
    ),
  );
  await transport.close();
};
const datas = (messages: readonly Message[]): unknown[] => messages.map(({ data }) => data);

describe("over server-sent events", () => {
  it("what is published after subscribe is heard, whatever it is", () =>
    withPubSub({}, async (pubsub) => {
      const heard: Message[] = [];
      const payloads = ["plain", "a\nb, ÿ🐈", { deep: [1, null] }, 0, ""];
      await pubsub.subscribe("news, and / others", { onMessage: (message) => heard.push(message) });
      for (const each of payloads) await pubsub.publish("news, and / others", each);
      await until("all are heard", () => heard.length === payloads.length);
      same(datas(heard), payloads);
    }));

  it("patterns are heard with the channel's own name", () =>
    withPubSub({}, async (pubsub) => {
      const heard: Message[] = [];
      await pubsub.psubscribe("ws:session:*", { onMessage: (message) => heard.push(message) });
      await pubsub.publish("ws:other:1", "no");
      await pubsub.publish("ws:session:1", "yes");
      await until("it is heard", () => heard.length > 0);
      sameIn(heard[0], { channel: "ws:session:1", pattern: "ws:session:*", data: "yes" });
      same(heard.length, 1);
    }));

  it("bytes and rich values travel as MessagePack", () =>
    withPubSub({ codec: msgpack() }, async (pubsub) => {
      const heard: Message[] = [];
      const value = new Map<string, unknown>([["bytes", new Uint8Array([0, 10, 255])]]);
      await pubsub.subscribe("rich", { onMessage: (message) => heard.push(message) });
      await pubsub.publish("rich", value);
      await until("it is heard", () => heard.length > 0);
      same(heard[0]?.data, value);
    }));

  it("listen() iterates over what is heard, and ends when it is left", () =>
    withPubSub({}, async (pubsub) => {
      await pubsub.subscribe("iterated");
      const reading = (async () => {
        const read: unknown[] = [];
        for await (const { data } of pubsub.listen()) {
          if (read.push(data) === 3) break;
        }
        return read;
      })();
      for (const each of [1, 2, 3]) await pubsub.publish("iterated", each);
      same(await reading, [1, 2, 3]);
    }));

  it("nothing is heard after unsubscribe", () =>
    withPubSub({}, async (pubsub) => {
      const heard: Message[] = [];
      const other: Message[] = [];
      await pubsub.subscribe("left", { onMessage: (message) => heard.push(message) });
      await pubsub.subscribe("kept", { onMessage: (message) => other.push(message) });
      await pubsub.unsubscribe("left");
      await pubsub.publish("left", 1);
      await pubsub.publish("kept", 2);
      await until("the other is heard", () => other.length > 0);
      same(heard, []);
    }));
});

describe("a stream that is cut", () => {
  it("is told as a gap, and heard again", () =>
    withPubSub({}, async (pubsub) => {
      const heard: Message[] = [];
      const gaps: Gap[] = [];
      pubsub.on("gap", (gap) => gaps.push(gap));
      await pubsub.subscribe("volatile", { onMessage: (message) => heard.push(message) });
      await cut();
      await until("the gap is told", () => gaps.length > 0);
      sameIn(gaps[0], { channel: "volatile", reason: "interrupted" });
      await pubsub.publish("volatile", "after");
      await until("it is heard", () => heard.length > 0);
      same(datas(heard), ["after"]);
    }));

  it("with replay is repaired: each message once, in order", () =>
    withPubSub({}, async (pubsub) => {
      const heard: Message[] = [];
      const gaps: Gap[] = [];
      pubsub.on("gap", (gap) => gaps.push(gap));
      await pubsub.subscribe("orders", { replay: true, onMessage: (message) => heard.push(message) });
      for (let each = 1; each <= 30; each++) {
        if (each % 10 === 5) await cut();
        await pubsub.publish("orders", each, { replay: { count: 100 } });
      }
      await until("all are heard", () => heard.length >= 30);
      same(
        datas(heard),
        Array.from({ length: 30 }, (_, index) => index + 1),
      );
      same(gaps, []);
    }));
});

describe("a history", () => {
  it("is replayed to who comes later, from the beginning or from a position", () =>
    withPubSub({}, async (pubsub) => {
      const positions = [];
      for (const each of ["a", "b", "c"]) {
        positions.push((await pubsub.publish("kept", each, { replay: { count: 100 } })).position);
      }
      const [first] = positions;
      if (!first) throw new Error("Expected a position");
      for (const [after, expected] of [
        ["beginning", ["a", "b", "c"]],
        [first, ["b", "c"]],
      ] as const) {
        await withPubSub({}, async (late) => {
          const heard: Message[] = [];
          await late.subscribe("kept", { replay: true, after, onMessage: (message) => heard.push(message) });
          await until("it is replayed", () => heard.length >= expected.length);
          same(datas(heard), expected);
        });
      }
    }));
});
