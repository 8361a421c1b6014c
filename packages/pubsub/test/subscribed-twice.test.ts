import { closing, memory, servers } from "@continuum-cache/fixtures";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type ChannelSubscription, type Gap, type Message, PubSub } from "../src/index.ts";

const opened = closing();

const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 60_000, interval: 5 });

/** What a loop over `listen()` hears. */
function loopOver(pubsub: PubSub): Message<number | string>[] {
  const heard: Message<number | string>[] = [];
  void (async () => {
    for await (const message of pubsub.listen<number | string>()) heard.push(message);
  })();
  return heard;
}

const dataOf = (messages: readonly Message[]): unknown[] => messages.map(({ data }) => data);

describe.each([...servers, memory])("a channel that was subscribed to several times over $name", (backend) => {
  const start = async () => {
    const server = opened(await backend.open());
    const pubsub = opened(new PubSub({ transport: server.connect() }));
    /** Messages come in order, so everything before the last one has come with it. */
    const publishLast = async (heard: readonly Message[], options = {}): Promise<void> => {
      await pubsub.publish("news", "last", options);
      await until(() => heard.some(({ data }) => data === "last"));
    };
    return { server, pubsub, publishLast };
  };

  it("is heard once by a loop and by a listener, until the last subscription was closed", async () => {
    const { pubsub, publishLast } = await start();
    const loop = loopOver(pubsub);
    const listened: Message[] = [];
    const listener = (message: Message): void => void listened.push(message);
    pubsub.on("message", listener);
    pubsub.on("message", listener);
    const own: unknown[] = [];
    const subscriptions = await Promise.all([1, 2].map(() => pubsub.subscribe("news")));
    subscriptions.push(await pubsub.subscribe("news"));
    const handled = await pubsub.subscribe("news", { onMessage: ({ data }) => own.push(data) });
    await pubsub.publish("news", 1);
    await subscriptions[0]?.close();
    await subscriptions[0]?.close();
    await pubsub.publish("news", 2);
    await subscriptions[2]?.close();
    await publishLast(loop);
    expect(dataOf(loop)).toEqual([1, 2, "last"]);
    expect(dataOf(listened)).toEqual([1, 2, "last"]);
    await subscriptions[1]?.close();
    await pubsub.publish("news", 4);
    await until(() => own.length === 4);
    expect(own).toEqual([1, 2, "last", 4]);
    expect(dataOf(loop)).toEqual([1, 2, "last"]);
    await handled.close();
  });

  it("is heard once for itself and once for each pattern that matches", async () => {
    const { pubsub, publishLast } = await start();
    const loop = loopOver(pubsub);
    for (let times = 0; times < 2; times++) {
      await pubsub.subscribe("news");
      await pubsub.psubscribe("n*");
      await pubsub.psubscribe(["*s", "n*"]);
    }
    await pubsub.publish("news", 1);
    await publishLast(loop);
    await until(() => loop.length === 6);
    const first = loop.filter(({ data }) => data === 1);
    expect(first.map(({ pattern }) => pattern ?? "").sort()).toEqual(["", "*s", "n*"]);
  });

  it("is heard once with its history, and a later loop that asks for the history gets all of it", async () => {
    const { pubsub, publishLast } = await start();
    const early = loopOver(pubsub);
    const subscriptions = [await pubsub.subscribe("news", { replay: true })];
    const { position } = await pubsub.publish("news", 0, { replay: true });
    for (let count = 1; count < 5; count++) await pubsub.publish("news", count, { replay: true });
    await until(() => early.length === 5);
    const late = loopOver(pubsub);
    subscriptions.push(
      await pubsub.subscribe("news"),
      await pubsub.subscribe("news", { replay: true, after: position as NonNullable<typeof position> }),
      await pubsub.subscribe("news", { replay: { count: 50, age: "2h" }, after: "beginning" }),
    );
    await pubsub.publish("news", "plain");
    await publishLast(late, { replay: true });
    await until(() => late.length === 7);
    expect(dataOf(early)).toEqual([0, 1, 2, 3, 4, "plain", "last"]);
    expect([...dataOf(late)].map(String).sort()).toEqual(["0", "1", "2", "3", "4", "last", "plain"]);

    for (const subscription of subscriptions) await subscription.close();
    await pubsub.subscribe("news", { replay: true, after: "beginning" });
    await until(() => early.length === 7 + 6);
    expect(dataOf(early).slice(7)).toEqual([0, 1, 2, 3, 4, "last"]);
  });

  it("tells a gap once to the listeners of the event, and once to each subscription of its own", async () => {
    const { server, pubsub, publishLast } = await start();
    const loop = loopOver(pubsub);
    const gaps: Gap[] = [];
    const own: Gap[] = [];
    pubsub.on("gap", (gap) => gaps.push(gap));
    for (let times = 0; times < 3; times++) await pubsub.subscribe("news");
    await pubsub.subscribe("news", { onMessage: () => {} });
    await pubsub.subscribe("news", { onGap: (gap) => own.push(gap) });
    for (let times = 0; times < 2; times++) await server.connect().send([["PUBLISH", "news", '{"a":']], {});
    await publishLast(loop);
    expect(dataOf(loop)).toEqual(["last"]);
    const unreadable = { channel: "news", missed: 1, reason: "unreadable" };
    expect(gaps).toMatchObject([unreadable, unreadable]);
    expect(own).toMatchObject([unreadable, unreadable]);
  });
});

type Step =
  | { readonly do: "subscribe"; readonly way: "volatile" | "replay" | "beginning" }
  | { readonly do: "close"; readonly which: number }
  | { readonly do: "publish"; readonly isKept: boolean }
  | { readonly do: "listen" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("subscribe" as const), way: fc.constantFrom("volatile", "replay", "beginning") }),
  fc.record({ do: fc.constant("close" as const), which: fc.nat({ max: 5 }) }),
  fc.record({ do: fc.constant("publish" as const), isKept: fc.boolean() }),
  fc.record({ do: fc.constant("listen" as const) }),
);

describe("loops over a channel, whatever was subscribed, closed, published and begun in between", () => {
  it("hear each message once, all that came since they began, and all that is kept if that was asked for", async () => {
    const check = async (first: "volatile" | "replay", steps: readonly Step[]): Promise<void> => {
      const server = await memory.open();
      const pubsub = new PubSub({ transport: server.connect() });
      const loops: { readonly heard: unknown[]; readonly owed: Set<unknown> }[] = [];
      const subscriptions: ChannelSubscription[] = [];
      const kept: number[] = [];
      let count = 0;
      const listen = (): void => {
        const heard: unknown[] = [];
        pubsub.on("message", ({ data }) => void heard.push(data));
        loops.push({ heard, owed: new Set() });
      };
      const subscribe = (way: "volatile" | "replay" | "beginning"): Promise<ChannelSubscription> =>
        pubsub.subscribe("c", way === "volatile" ? {} : { replay: true, ...(way !== "replay" && { after: way }) });
      listen();
      await subscribe(first);
      for (const each of steps) {
        if (each.do === "listen") listen();
        else if (each.do === "close") await subscriptions.splice(each.which, 1)[0]?.close();
        else if (each.do === "subscribe") {
          subscriptions.push(await subscribe(each.way));
          // Let it catch up, so that the model knows what it was handed.
          for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
          if (each.way === "beginning") for (const { owed } of loops) for (const one of kept) owed.add(one);
        } else {
          const own = count++;
          for (const { owed } of loops) owed.add(own);
          if (each.isKept) kept.push(own);
          await pubsub.publish("c", own, { replay: each.isKept });
        }
      }
      const inOrder = (values: Iterable<unknown>): unknown[] => [...values].sort((a, b) => Number(a) - Number(b));
      await vi.waitFor(() => {
        for (const { heard, owed } of loops) expect(inOrder(heard)).toEqual(inOrder(owed));
      });
      await pubsub.close();
      await server.close();
    };
    const steps = fc.array(step, { maxLength: 20 });
    await fc.assert(fc.asyncProperty(fc.constantFrom("volatile", "replay"), steps, check), runs(200));
  });
});
