import { msgpack } from "@continuum-cache/core/msgpack";
import { closing, memory, servers } from "@continuum-cache/fixtures";
import { describe, expect, it, vi } from "vitest";
import { type Gap, type Message, PubSub, type PubSubEvents } from "../src/index.ts";

// What others publish and store where we listen: it is told, skipped, and ends nothing.

const opened = closing();
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 60_000, interval: 5 });
const key = "continuum-cache:history:c";

describe.each([...servers, memory])("over $name", (backend) => {
  const start = async (channel: { readonly replay: boolean }) => {
    const server = opened(await backend.open());
    const raw = server.connect();
    const pubsub = opened(new PubSub({ transport: server.connect(), codec: msgpack() }));
    const publisher = opened(new PubSub({ transport: server.connect(), codec: msgpack() }));
    const heard: Message[] = [];
    const gaps: Gap[] = [];
    const errors: PubSubEvents["error"][] = [];
    pubsub.on("message", (message) => heard.push(message));
    pubsub.on("gap", (gap) => gaps.push(gap));
    pubsub.on("error", (event) => errors.push(event));
    await pubsub.subscribe("c", channel);
    const publish = (data: unknown) => publisher.publish("c", data, channel);
    const data = () => heard.map((message) => message.data);
    return { raw, publish, data, gaps, errors, pubsub, publisher };
  };

  it.each([
    [
      "a bomb of nested arrays",
      `=${btoa(String.fromCharCode(0xc1, 0x6d, ...Array.from({ length: 20_000 }, () => 0x91)))}`,
    ],
    ["JSON that is broken", '{"a":'],
    ["deep JSON that is broken", "[".repeat(100_000)],
    ["a length that is a lie", `=${btoa("\u00c1m\u00dd\u00ff\u00ff\u00ff\u00ff")}`],
    ["a place of too many digits", "~9999999999999999-9999999999999999:tag:[5]"],
  ])("%s is told with its channel and as a gap of one, and what is behind it is heard", async (_, text) => {
    for (const replay of [false, true]) {
      const { raw, publish, data, gaps, errors } = await start({ replay });
      await raw.send([["PUBLISH", "c", text]]);
      await publish("behind it");
      await eventually(() => expect(data()).toEqual(["behind it"]));
      expect(errors).toMatchObject([{ channel: "c", error: { name: "CodecError" } }]);
      expect(gaps).toMatchObject([{ channel: "c", reason: "unreadable", missed: 1 }]);
    }
  });

  it("a stored message that can't be decoded is told with its place, live and to those who read it later", async () => {
    const { raw, publish, publisher, data, gaps, errors, pubsub } = await start({ replay: true });
    await publish("before");
    const { position } = await publisher.publish("c", "replaced", { replay: true });
    await eventually(() => expect(data()).toEqual(["before", "replaced"]));
    const epoch = position?.epoch as number;
    await raw.send([
      ["XADD", key, `${epoch}-2`, "t", Date.now(), "n", "bad", "d", "{"],
      ["PUBLISH", "c", `~${epoch}-2:bad:{`],
    ]);
    await publish("behind it");
    await eventually(() => expect(data()).toEqual(["before", "replaced", "behind it"]));
    expect(errors).toMatchObject([{ channel: "c", position: { epoch, seq: 2, tag: "bad" } }]);
    const seen: unknown[] = [];
    await pubsub.subscribe("c", {
      replay: true,
      after: "beginning",
      onMessage: (message) => void seen.push(message.data),
      onGap: ({ reason, missed }) => void seen.push([reason, missed]),
    });
    await eventually(() => expect(seen).toEqual(["before", "replaced", ["unreadable", 1], "behind it"]));
    expect(gaps).toMatchObject([{ reason: "unreadable", missed: 1 }]);
  });

  it("entries that are no messages are told by their ids, once each, and never counted as messages", async () => {
    const { raw, publish, data, errors, pubsub, publisher } = await start({ replay: true });
    await publish(1);
    await eventually(() => expect(data()).toEqual([1]));
    const foreign = ["some thing", "t 5", "n x", "d x", "t soon n x d y"].map((words) => words.split(" "));
    await raw.send(foreign.map((fields) => ["XADD", key, "*", ...fields]));
    await publish(2);
    await publish(3);
    await eventually(() => expect(data()).toEqual([1, 2, 3]));
    const seen: unknown[] = [];
    const read = async () =>
      pubsub.subscribe("c", {
        replay: true,
        after: "beginning",
        onMessage: (message) => void seen.push(message.data),
        onGap: ({ reason }) => void seen.push(reason),
      });
    await read();
    await eventually(() => expect(seen.filter((one) => typeof one === "number")).toEqual([1, 2, 3]));
    await read();
    await eventually(() => expect(seen.filter((one) => typeof one === "number")).toEqual([1, 2, 3, 1, 2, 3]));
    expect(new Set(errors.map(({ error }) => error.message)).size).toBe(errors.length);
    expect(errors.length).toBeLessThanOrEqual(foreign.length);
    expect(publisher).toBeDefined();
  });

  it("hundreds of them in a row keep nobody from what is behind them", async () => {
    const { raw, publish, pubsub } = await start({ replay: true });
    await publish(1);
    await raw.send(Array.from({ length: 300 }, () => ["XADD", key, "*", "some", "thing"] as const));
    await publish(2);
    const seen: unknown[] = [];
    const onMessage = (message: Message): void => void seen.push(message.data);
    await pubsub.subscribe("c", { replay: true, after: "beginning", onMessage });
    await eventually(() => expect(seen).toEqual([1, 2]));
  });

  it("a place that the history does not have is given up after a while, told as a gap, and the channel goes on", async () => {
    const { raw, publish, data, gaps, errors } = await start({ replay: true });
    const { position } = await publish(1);
    await eventually(() => expect(data()).toEqual([1]));
    await raw.send([["PUBLISH", "c", `~${position?.epoch}-1000:forged:5`]]);
    await publish(2);
    await eventually(() => expect(data()).toEqual([1, 2]));
    await eventually(() => expect(errors.map(({ error }) => error.message)).toMatchObject([/history does not have/]));
    await publish(3);
    await eventually(() => expect(data()).toEqual([1, 2, 3]));
    expect(gaps).toMatchObject([{ reason: "lost" }]);
  });

  it("a key that is no stream is an error, and heals when it is gone", async () => {
    const server = opened(await backend.open());
    const raw = server.connect();
    await raw.send([["SET", key, "no stream"]]);
    const pubsub = opened(new PubSub({ transport: server.connect() }));
    await expect(pubsub.subscribe("c", { replay: true })).rejects.toMatchObject({ code: "WRONGTYPE" });
    await expect(pubsub.publish("c", 1, { replay: true })).rejects.toMatchObject({ name: "CommandError" });
    await raw.send([["DEL", key]]);
    await pubsub.subscribe("c", { replay: true });
    expect(await pubsub.publish("c", 1, { replay: true })).toMatchObject({ position: { seq: 0 } });
  });
});
