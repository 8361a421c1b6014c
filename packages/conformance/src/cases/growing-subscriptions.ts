import { escapeGlob, isTransportError, type Topics, type Transport } from "@continuum-cache/core";
import { expectRejection } from "../expect/expect-rejection.ts";
import { type Expected, expectReply } from "../expect/expect-reply.ts";
import { growing, type Listening, listen } from "./listening.ts";
import type { InterruptionCase } from "./subscriptions.ts";
import { type KeyMaker, one, type TransportCase } from "./transport-case.ts";

/** Publishes the name of each channel on it. */
async function publishOn(transport: Transport, key: KeyMaker, names: readonly string[]): Promise<void> {
  for (const name of names) await one(transport, "PUBLISH", key(name), name);
}

/**
 * Publishes on each channel in turn, and checks that exactly the expected messages arrived, in order.
 */
async function expectHeard(
  transport: Transport,
  key: KeyMaker,
  listening: Listening,
  { published, heard }: { readonly published: readonly string[]; readonly heard: readonly string[] },
): Promise<void> {
  const before = listening.heard.length;
  await publishOn(transport, key, published);
  await listening.until(() => listening.heard.length >= before + heard.length, `${heard.length} message(s)`);
  expectReply(
    listening.heard.slice(before).map(({ data }): Expected => data),
    [...heard],
  );
}

const globOf = (key: KeyMaker, prefix: string): string => `${escapeGlob(key(prefix))}*`;

/** Adding topics to an open stream, and removing them. */
export const growingCases: readonly TransportCase[] = [
  {
    title: "every message that is published after add resolved arrives through the same stream, in order",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")] });
      try {
        const { add } = growing(listening);
        await add({ channels: [key("b")], patterns: [globOf(key, "p:")] });
        const published = ["b", "a", "p:1", "c", "b"];
        await expectHeard(transport, key, listening, { published, heard: ["b", "a", "p:1", "b"] });
        expectReply(await one(transport, "PUBLISH", key("b"), "x"), 1);
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "after remove, messages of that topic no longer arrive, and others do",
    async run(transport, key) {
      const listening = await listen(transport, {
        channels: [key("a"), key("b")],
        patterns: [globOf(key, "p:"), globOf(key, "q:")],
      });
      try {
        await growing(listening).remove({ channels: [key("a")], patterns: [globOf(key, "p:")] });
        expectReply(await one(transport, "PUBLISH", key("a"), "x"), 0);
        await expectHeard(transport, key, listening, { published: ["a", "p:1", "q:1", "b"], heard: ["q:1", "b"] });
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "adding a topic twice, and removing an unknown one, changes nothing",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")] });
      try {
        const { add, remove } = growing(listening);
        await add({ channels: [key("a"), key("a"), key("b"), key("b")] });
        await add({ channels: [key("a")] });
        await add({});
        await remove({ channels: [key("c")], patterns: [globOf(key, "")] });
        await remove({});
        await expectHeard(transport, key, listening, { published: ["a", "b", "c", "a"], heard: ["a", "b", "a"] });
        await remove({ channels: [key("a"), key("a")] });
        await expectHeard(transport, key, listening, { published: ["a", "b"], heard: ["b"] });
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "a stream of which the last topic was removed stays open and silent, and can grow again",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")], patterns: [globOf(key, "p:")] });
      try {
        const { add, remove } = growing(listening);
        await remove({ channels: [key("a")], patterns: [globOf(key, "p:")] });
        await publishOn(transport, key, ["a", "p:1"]);
        await add({ channels: [key("a")] });
        await expectHeard(transport, key, listening, { published: ["p:1", "a"], heard: ["a"] });
        await remove({ channels: [key("a")] });
        await add({ patterns: [globOf(key, "p:")] });
        await expectHeard(transport, key, listening, { published: ["a", "p:1"], heard: ["p:1"] });
        expectReply(listening.interruptions.length, 0);
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "additions and removals that overlap take effect in the order of the calls",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")] });
      try {
        const { add, remove } = growing(listening);
        const channels = [key("b")];
        await Promise.all([add({ channels }), remove({ channels }), add({ channels: [key("c")] }), add({ channels })]);
        await Promise.all([add({ channels: [key("d")] }), remove({ channels: [key("c"), key("d")] })]);
        await expectHeard(transport, key, listening, { published: ["d", "c", "b", "a"], heard: ["b", "a"] });
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "2,000 channels are added and removed at once",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")] });
      try {
        const { add, remove } = growing(listening);
        const names = Array.from({ length: 2_000 }, (_, index) => `many:${index}`);
        await add({ channels: names.map(key) });
        const published = ["many:0", "many:999", "many:1000", "many:1999"];
        await expectHeard(transport, key, listening, { published, heard: published });
        await remove({ channels: names.map(key) });
        await expectHeard(transport, key, listening, { published: [...published, "a"], heard: ["a"] });
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "a message is heard once for each topic that it matches",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")] });
      try {
        await growing(listening).add({ channels: [key("a")], patterns: [globOf(key, "a"), globOf(key, "")] });
        await publishOn(transport, key, ["a"]);
        await listening.until(() => listening.heard.length >= 3, "3 messages");
        await expectHeard(transport, key, listening, { published: ["b"], heard: ["b"] });
        expectReply(
          listening.heard
            .slice(0, 3)
            .map(({ pattern }): Expected => pattern ?? "")
            .sort(),
          ["", globOf(key, "a"), globOf(key, "")].sort(),
        );
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "add with a signal that has already fired rejects with kind aborted, and leaves the stream as it was",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")] });
      try {
        const call = growing(listening).add({ channels: [key("b")] }, { signal: AbortSignal.abort() });
        await expectRejection(call, "aborted");
        await expectHeard(transport, key, listening, { published: ["b", "a"], heard: ["a"] });
      } finally {
        await listening.close();
      }
    },
  },
  {
    title: "after close add rejects with kind closed, and remove resolves",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")] });
      const { add, remove } = growing(listening);
      await listening.close();
      await expectRejection(add({ channels: [key("b")] }), "closed");
      await remove({ channels: [key("a")] });
      expectReply(await one(transport, "PUBLISH", key("b"), "x"), 0);
      expectReply(listening.interruptions.length, 0);
    },
  },
];

/** Transports whose streams can't grow have neither `add` nor `remove`. */
export const fixedCases: readonly TransportCase[] = [
  {
    title: "the topics of a stream are fixed: it has neither add nor remove",
    async run(transport, key) {
      const listening = await listen(transport, { channels: [key("a")] });
      await listening.close();
      const { add, remove } = listening.subscription;
      if (add || remove) throw new Error("expected neither add nor remove (set `growing`, so that they are checked)");
    },
  },
];

/** A stream that breaks while topics are added or removed. */
export const growingInterruptionCases: readonly InterruptionCase[] = [
  {
    title: "interrupted is called once when the stream breaks during add; then add rejects and remove resolves",
    async run(transport, key, faults) {
      const listening = await listen(transport, { channels: [key("a")] });
      const { add, remove } = growing(listening);
      const more = (name: string): Topics => ({ channels: [key(name)], patterns: [globOf(key, name)] });
      const adding = Array.from({ length: 50 }, (_, index) =>
        add(more(`b${index}`)).then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      const removing = remove({ channels: [key("a")] });
      await faults.sever();
      const failures = (await Promise.all(adding)).filter((failure) => failure !== undefined);
      const foreign = failures.find((failure) => !isTransportError(failure));
      if (foreign !== undefined) throw new Error(`expected TransportErrors, got ${String(foreign)}`);
      await removing;
      await listening.until(() => listening.interruptions.length > 0, "an interruption");
      await expectRejection(add(more("c")), "unreachable");
      await remove(more("c"));
      await faults.restore();
      await expectRejection(add(more("c")), "unreachable");
      await listening.close();
      expectReply(listening.interruptions.length, 1);
    },
  },
];
