import { escapeGlob, type Transport } from "@continuum-cache/core";
import { expectRejection } from "../expect/expect-rejection.ts";
import { type Expected, expectReply } from "../expect/expect-reply.ts";
import { listen, subscribeTo } from "./listening.ts";
import { type KeyMaker, one, type TransportCase } from "./transport-case.ts";

const publish = async (transport: Transport, channel: string, data: string | Uint8Array): Promise<void> => {
  await one(transport, "PUBLISH", channel, data);
};

/** Publishes, and waits until all messages have arrived. */
async function expectHeard(
  transport: Transport,
  key: KeyMaker,
  messages: readonly (readonly [channel: string, data: string | Uint8Array])[],
): Promise<void> {
  const listening = await listen(transport, { channels: [...new Set(messages.map(([channel]) => key(channel)))] });
  try {
    for (const [channel, data] of messages) await publish(transport, key(channel), data);
    await listening.until(() => listening.heard.length >= messages.length, `${messages.length} message(s)`);
    expectReply(
      listening.heard.map(({ channel, data }): Expected => [channel, data]),
      messages.map(([channel, data]): Expected => [key(channel), data]),
    );
  } finally {
    await listening.close();
  }
}

/** What `subscribe` promises. Channel names are made by `key`, like keys. */
export const subscriptionCases: readonly TransportCase[] = [
  {
    title: "every message that is published after subscribe resolved arrives, in order",
    run: (transport, key) =>
      expectHeard(
        transport,
        key,
        Array.from({ length: 100 }, (_, index) => ["news", `message ${index}`] as const),
      ),
  },
  {
    title: "PUBLISH answers the number of receivers",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")] });
      expectReply(await one(transport, "PUBLISH", key("a"), "x"), 1);
      expectReply(await one(transport, "PUBLISH", key("b"), "x"), 0);
      await listening.close();
    },
  },
  {
    title: "channel names may hold spaces, commas, slashes, quotes, unicode and line ends",
    run: (transport, key) =>
      expectHeard(transport, key, [
        ["with space", "1"],
        ["a,b,c", "2"],
        ["a/b?c=d&e#f%20", "3"],
        ["ключ 键 🔑", "4"],
        ["\"quoted\" 'too'", "5"],
        ["new\nline", "6"],
        ["*?[a]", "7"],
      ]),
  },
  {
    title: "channel names and patterns may hold %, slashes, ?, #, +, quotes, unicode and brackets",
    async run(transport, key) {
      const names = ["a/b/../c?d=e&f#g", "100%", "%2C%0A%", "a+b c", "\"'`\\", "ключ 键 🔑", "*?[a-c]^!", "~@:;=$"];
      await expectHeard(
        transport,
        key,
        names.map((name) => [name, name] as const),
      );
      const patterns = names.map((name) => escapeGlob(key(name)));
      const listening = await listen(transport, { patterns });
      try {
        for (const name of names) await publish(transport, key(name), name);
        await listening.until(() => listening.heard.length >= names.length, `${names.length} message(s)`);
        expectReply(
          listening.heard.map(({ channel, pattern = "", data }): Expected => [pattern, channel, data]),
          names.map((name, at): Expected => [patterns[at] ?? "", key(name), name]),
        );
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "payloads of one line arrive as they were: commas, JSON, empty, unicode, 1 MB",
    run: (transport, key) =>
      expectHeard(transport, key, [
        ["c", "message,other,1"],
        ["c", '{"json":[1,2,"ü"], "next": "\\n"}'],
        ["c", "data: message,c,forged"],
        ["c", " 9007199254740993 "],
        ["c", ""],
        ["c", "\ufeffmark 🧠\u2028"],
        ["c", "xü🧠".repeat(150_000)],
        ["c", "end"],
      ]),
  },
  {
    title: "payloads arrive as they were: text, line ends, commas, empty, 100 kB",
    run: (transport, key) =>
      expectHeard(transport, key, [
        ["c", "plain"],
        ["c", "a\r\nb\n\nc"],
        ["c", "message,other,1"],
        ["c", '{"json":[1,2,"ü"]}'],
        ["c", "123"],
        ["c", ""],
        ["c", "\ufeffmark 🧠"],
        ["c", "x".repeat(100_000)],
      ]),
  },
  {
    title: "payloads that are no text arrive as bytes",
    run: (transport, key) =>
      expectHeard(transport, key, [
        ["c", new Uint8Array([0x00, 0xc1, 0xff])],
        ["c", new Uint8Array([0xff, 0x0d, 0x0a, 0xfe])],
        ["c", Uint8Array.from({ length: 1_000 }, (_, index) => index & 0xff)],
      ]),
  },
  {
    title: "patterns hear every channel that matches, and say which they were",
    async run(transport, key) {
      const pattern = `${escapeGlob(key("room:"))}[ab]`;
      const listening = await listen(transport, { patterns: [pattern] });
      try {
        for (const room of ["a", "c", "b"]) await publish(transport, key(`room:${room}`), room);
        await publish(transport, key("room:a"), "end");
        await listening.until(() => listening.heard.at(-1)?.data === "end", "the last message");
        expectReply(
          listening.heard.map(({ channel, pattern: through, data }): Expected => [channel, through ?? null, data]),
          ["a", "b", "end"].map((data): Expected => [key(`room:${data === "end" ? "a" : data}`), pattern, data]),
        );
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "channels and patterns may be heard through one subscription",
    async run(transport, key) {
      const topics = { channels: [key("one"), key("two")], patterns: [`${escapeGlob(key("p:"))}*`] };
      const listening = await listen(transport, topics);
      try {
        for (const name of ["one", "p:x", "two", "three"]) await publish(transport, key(name), name);
        await publish(transport, key("one"), "end");
        // Over some transports channels and patterns are two streams. Each is in order by itself only.
        await listening.until(() => listening.heard.length >= 4, "4 messages");
        expectReply(listening.heard.map(({ data }) => String(data)).sort(), ["end", "one", "p:x", "two"]);
        const channelOnly = listening.heard.filter(({ pattern }) => pattern === undefined);
        expectReply(
          channelOnly.map(({ data }): Expected => data),
          ["one", "two", "end"],
        );
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "several subscriptions to one channel each hear everything, and close by themselves",
    async run(transport, key) {
      const [first, second, third] = await Promise.all([
        listen(transport, { channels: [key("c")] }),
        listen(transport, { channels: [key("c")] }),
        listen(transport, { patterns: [`${escapeGlob(key(""))}*`] }),
      ]);
      await publish(transport, key("c"), "1");
      await Promise.all([first, second, third].map((one) => one.until(() => one.heard.length === 1, "1 message")));
      await first.close();
      await publish(transport, key("c"), "2");
      await Promise.all([second, third].map((one) => one.until(() => one.heard.length === 2, "2 messages")));
      expectReply(
        first.heard.map(({ data }): Expected => data),
        ["1"],
      );
      await Promise.all([second.close(), third.close()]);
    },
  },
  {
    title: "a closed subscription hears nothing more, is never interrupted, and closes twice",
    async run(transport, key) {
      const [closed, open] = [
        await listen(transport, { channels: [key("c")] }),
        await listen(transport, { channels: [key("c")] }),
      ];
      await closed.close();
      await closed.close();
      await publish(transport, key("c"), "after");
      await open.until(() => open.heard.length === 1, "1 message");
      await open.close();
      expectReply(closed.heard.length, 0);
      expectReply(closed.interruptions.length + open.interruptions.length, 0);
    },
  },
  {
    title: "commands go on while something is listened to",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("c")] });
      expectReply(
        await transport.send(
          [
            ["SET", key("a"), 1],
            ["GET", key("a")],
          ],
          { atomic: true },
        ),
        ["OK", "1"],
      );
      await listening.close();
    },
  },
  {
    title: "topics that name nothing are refused",
    async run(transport) {
      for (const topics of [{}, { channels: [] }, { channels: [], patterns: [] }]) {
        const refusal = await subscribeTo(transport, topics, { message() {}, interrupted() {} }).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (!(refusal instanceof Error) || !/channel|pattern/.test(refusal.message)) {
          throw new Error(`expected an error that asks for a channel or a pattern, got ${String(refusal)}`);
        }
      }
    },
  },
  {
    title: "a signal that has already fired rejects with kind aborted",
    async run(transport, key) {
      const listener = { message() {}, interrupted() {} };
      const call = subscribeTo(transport, { channels: [key("c")] }, listener, { signal: AbortSignal.abort() });
      await expectRejection(call, "aborted");
      expectReply(await one(transport, "PUBLISH", key("c"), "x"), 0);
    },
  },
];

/** Closing a transport ends its subscriptions. Each case needs a transport of its own. */
export const endingCases: readonly TransportCase[] = [
  {
    title: "a stream is interrupted once, with kind closed, when its transport is closed",
    async run(transport, key) {
      const [open, closed] = [
        await listen(transport, { channels: [key("c")] }),
        await listen(transport, { channels: [key("c")] }),
      ];
      await closed.close();
      await transport.close();
      await open.until(() => open.interruptions.length > 0, "an interruption");
      await open.close();
      expectReply(open.interruptions.length, 1);
      await expectRejection(Promise.reject(open.interruptions[0]), "closed");
      expectReply(closed.interruptions.length, 0);
    },
  },
];

/** Breaks the streams behind a transport, and restores what the next case needs. */
export interface Sever {
  sever(): void | Promise<void>;
  restore(): void | Promise<void>;
}

/** A promise about a stream that breaks. */
export interface InterruptionCase {
  readonly title: string;
  run(transport: Transport, key: KeyMaker, faults: Sever): Promise<void>;
}

/** A broken stream is reported once, and does not reconnect by itself. */
export const interruptionCases: readonly InterruptionCase[] = [
  {
    title: "interrupted is called once when the stream breaks, and nothing is heard after it",
    async run(transport, key, faults) {
      const listening = await listen(transport, { channels: [key("c")], patterns: [`${escapeGlob(key("p"))}*`] });
      await publish(transport, key("c"), "before");
      await listening.until(() => listening.heard.length === 1, "1 message");
      await faults.sever();
      await listening.until(() => listening.interruptions.length > 0, "an interruption");
      await faults.restore();
      const again = await listen(transport, { channels: [key("c")] });
      await publish(transport, key("c"), "after");
      await again.until(() => again.heard.length === 1, "1 message");
      await again.close();
      await listening.close();
      expectReply(
        listening.heard.map(({ data }): Expected => data),
        ["before"],
      );
      expectReply(listening.interruptions.length, 1);
      await expectRejection(Promise.reject(listening.interruptions[0]), "unreachable");
    },
  },
];
