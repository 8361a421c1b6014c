import { setTimeout as sleep } from "node:timers/promises";
import { Cache, type Codec, escapeGlob, json, type Transport } from "@continuum-cache/core";
import { msgpack } from "@continuum-cache/core/msgpack";
import { closing, memory, servers } from "@continuum-cache/fixtures";
import { isLongRun, runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Message, PubSub } from "../src/index.ts";

// Any name and any payload, whichever way they travel.

const opened = closing();
const tooLong = 60_000;

const oddNames = [
  " ",
  ".",
  "..",
  "...",
  "/",
  "a/b",
  "//",
  "a,b",
  ",",
  "%",
  "%2C",
  "%252C",
  "100 %",
  "a\nb",
  "\r\n",
  "\u0000",
  "\u0085",
  "\u2028",
  "data: x\n\n",
  "?a=b&c#d",
  "news.*",
  "[a]*?\\",
  "a+b",
  "猫🐈",
  "\ufeffname",
  "continuum-cache:history:x",
  "__proto__",
  "x".repeat(4_096),
  "é".repeat(2_000),
] as const;

const name = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...oddNames) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 60 }) },
  {
    weight: 2,
    arbitrary: fc.string({ unit: fc.constantFrom(..."a,/%\n\r\0.*?[]\\ =~é🐈"), minLength: 1, maxLength: 30 }),
  },
);

const oddTexts = [
  "",
  "null",
  "9007199254740993",
  "1e400",
  "-0",
  "=T",
  "=Bx",
  "~0-0:a:b",
  "~1-1:tag:text",
  "data: x\n\ndata: y",
  "message,c,forged\n",
  "\u0000\r\n\u2028\u0085",
  "\ufeff",
  "\ud800",
  "a\udfffb",
  "🐈".repeat(50),
];
const text = fc.oneof(fc.constantFrom(...oddTexts), fc.string({ unit: "binary" }));
const number = fc.oneof(
  fc.constantFrom(0, 2 ** 53 - 1, 2 ** 53, 1e308, 5e-324, 0.1, -1.5),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);
const plainData = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("any"), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ maxLength: 8 }).filter((key) => key !== "__proto__"),
      tie("any"),
      {
        maxKeys: 5,
        noNullPrototype: true,
      },
    ),
  ),
})).any;
/** What msgpack holds besides; half a surrogate pair is not text to it. */
const binaryData = fc.oneof(
  plainData.filter((data) => JSON.stringify(data).isWellFormed() && !/\\ud[89a-f]/i.test(JSON.stringify(data))),
  fc.uint8Array(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.constantFrom(2n ** 53n + 1n, -(2n ** 53n) - 1n),
  fc.date({ noInvalidDate: true }),
  fc.array(fc.tuple(fc.string(), fc.uint8Array()), { maxLength: 3 }).map((entries) => new Map(entries)),
);

/** All the ways to publish; with a history or without. */
const ways = {
  "cache.publish": (cache: Cache, _: PubSub, channel: string, data: unknown) => cache.publish(channel, data),
  publish: (_: Cache, pubsub: PubSub, channel: string, data: unknown) => pubsub.publish(channel, data),
  "publish with replay": (_: Cache, pubsub: PubSub, channel: string, data: unknown) =>
    pubsub.publish(channel, data, { replay: { count: 10 } }),
} as const;
const way = fc.constantFrom(...(Object.keys(ways) as (keyof typeof ways)[]));

const codecs: Readonly<Record<string, { codec: Codec; data: fc.Arbitrary<unknown> }>> = {
  json: { codec: json(), data: plainData },
  msgpack: { codec: msgpack(), data: binaryData },
};

/** The names that are escaped as a whole are matched by their own names alone; and an escaped pattern has to fit. */
const isGlobbed = (channel: string): boolean => !/^\.{1,2}$/.test(channel) && channel.length < 2_000;

describe.each([...servers, memory])("over $name", (backend) => {
  const start = async (codec: Codec = json()) => {
    const server = opened(await backend.open());
    const transport = server.connect();
    const there = opened(new PubSub({ transport: server.connect(), codec }));
    return {
      server,
      transport,
      here: opened(new PubSub({ transport, codec })),
      there,
      cache: makeCache(server.connect(), codec),
    };
  };
  const makeCache = (transport: Transport, codec: Codec): Cache =>
    new Cache({ transport, codec, maxValueBytes: 4 << 20 });

  /** Publishes while `wish` listens, and returns what was heard of it. */
  const heardOf = async (
    listen: (onMessage: (message: Message) => void) => Promise<{ close(): Promise<void> }>,
    publish: () => Promise<unknown>,
  ): Promise<Message> => {
    let hear: (message: Message) => void = () => {};
    const heard = new Promise<Message>((resolve) => {
      hear = resolve;
    });
    const subscription = await listen((message) => hear(message));
    await publish();
    const message = await Promise.race([heard, sleep(60_000)]);
    await subscription.close();
    if (!message) throw new Error("Expected to hear it within 60 s");
    return message;
  };

  it.each(Object.entries(codecs))(
    "any channel and any data arrive as they were, with %s",
    async (_, { codec, data }) => {
      const { here, there, cache } = await start(codec);
      await fc.assert(
        fc.asyncProperty(name, data, way, fc.boolean(), async (channel, payload, publishing, isReplay) => {
          const { channel: heardChannel, data: heard } = await heardOf(
            (onMessage) => here.subscribe(channel, { onMessage, ...(isReplay && { replay: true }) }),
            () => ways[publishing](cache, there, channel, payload),
          );
          expect(heardChannel).toBe(channel);
          expect(heard).toEqual(payload);
          expect(typeof heard).toBe(typeof payload);
        }),
        runs(40),
      );
    },
    tooLong,
  );

  it(
    "any stored message arrives as it was, also at one who comes later",
    async () => {
      const { here, there } = await start(msgpack());
      await fc.assert(
        fc.asyncProperty(name, binaryData, async (channel, payload) => {
          const { position } = await there.publish(channel, payload, { replay: { count: 10 } });
          const message = await new Promise<Message>((resolve, reject) => {
            const onMessage = (each: Message): void => {
              if (each.position?.seq === position?.seq) resolve(each);
            };
            here.subscribe(channel, { replay: true, after: "beginning", onMessage }).catch(reject);
          });
          await here.unsubscribe();
          expect(message.channel).toBe(channel);
          expect(message.data).toEqual(payload);
          expect(message.position).toEqual(position);
        }),
        runs(25),
      );
    },
    tooLong,
  );

  it(
    "any name of a channel is heard by a pattern that stands for it",
    async () => {
      const { here, there } = await start();
      await fc.assert(
        fc.asyncProperty(name, fc.boolean(), async (channel, hasStar) => {
          const pattern = escapeGlob(channel) + (hasStar && isGlobbed(channel) ? "*" : "");
          // The escapes of a pattern count.
          fc.pre(new TextEncoder().encode(pattern).length < 4_000);
          const { channel: heardChannel, pattern: heardPattern } = await heardOf(
            (onMessage) => here.psubscribe(pattern, { onMessage }),
            () => there.publish(channel, "x"),
          );
          expect([heardChannel, heardPattern]).toEqual([channel, pattern]);
        }),
        runs(25),
      );
    },
    tooLong,
  );

  it.each(Object.entries(codecs))(
    "texts and bytes of a megabyte arrive as they were, with %s",
    async (codecName, { codec }) => {
      const { here, there, cache } = await start(codec);
      const texts = ["x".repeat(1 << 20), "🐈\n".repeat(1 << 17)];
      const bytes = Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * 31) & 255);
      for (const payload of codecName === "msgpack" ? [...texts, bytes] : texts) {
        for (const publish of isLongRun ? Object.values(ways) : [ways.publish, ways["publish with replay"]]) {
          const { data } = await heardOf(
            (onMessage) => here.subscribe("large", { onMessage, replay: true }),
            () => publish(cache, there, "large", payload),
          );
          // No assertion that prints both.
          expect(Buffer.from(data as string).equals(Buffer.from(payload as string))).toBe(true);
        }
      }
    },
    tooLong,
  );

  it("refuses a wrong channel name before anything is sent", async () => {
    const { here, cache } = await start();
    for (const channel of ["", "a\ud800", "\udfff", "x".repeat(4_097), ",".repeat(1_366), undefined, 7, null]) {
      const wrong = channel as string;
      for (const call of [
        () => here.publish(wrong, 1),
        () => here.publish(wrong, 1, { replay: true }),
        () => here.subscribe(wrong),
        () => here.psubscribe(wrong),
        () => cache.publish(wrong, 1),
      ]) {
        await expect(call()).rejects.toThrow(/Expected|channel|pattern/);
      }
    }
  });

  it("refuses a value that the codec can't express", async () => {
    const { here } = await start();
    for (const data of [undefined, Number.NaN, 1n, new Map(), new Uint8Array(2), () => {}]) {
      await expect(here.publish("c", data)).rejects.toMatchObject({ name: "CodecError" });
      await expect(here.publish("c", data, { replay: true })).rejects.toMatchObject({ name: "CodecError" });
    }
  });

  it.each(Object.entries(codecs))("half a surrogate pair is kept or refused, with %s", async (_, { codec }) => {
    const { here, there } = await start(codec);
    for (const payload of ["a\ud800", "\udfff".repeat(100), `${"x".repeat(300)}\ud800`, { "\udfff": ["\ud800x"] }]) {
      const heard = await heardOf(
        (onMessage) => here.subscribe("c", { onMessage }),
        () => there.publish("c", payload),
      ).catch((error: Error) => error);
      if (heard instanceof Error) expect(heard).toMatchObject({ name: "CodecError" });
      else expect(heard.data).toEqual(payload);
    }
  });
});
