import { closing, memory, servers } from "@continuum-cache/fixtures";
import { describe, expect, it } from "vitest";
import { PubSub } from "../src/index.ts";

const opened = closing();

interface Iterating {
  next(...args: unknown[]): IteratorResult<unknown>;
}

/** Counts what is read out of maps, sets and arrays, in `for` and in `...`, while the work is done: whoever reads all, shows. */
async function countRead(work: () => Promise<unknown>): Promise<number> {
  const prototypes = [new Map().entries(), new Set().values(), [].values()].map(
    (iterator) => Object.getPrototypeOf(iterator) as Iterating,
  );
  const originals = prototypes.map(({ next }) => next);
  let count = 0;
  for (const prototype of prototypes) {
    const { next } = prototype;
    prototype.next = function (this: Iterating, ...args) {
      count++;
      return next.apply(this, args);
    };
  }
  try {
    await work();
  } finally {
    prototypes.forEach((prototype, at) => {
      prototype.next = originals[at] as Iterating["next"];
    });
  }
  return count;
}

const timeout = "120s";
// Over REST a stream can't grow: each channel more is another stream, with as many channels as an address has room for.
const growing = [...servers.filter(({ name }) => name !== "REST"), memory];

describe.each(growing)("one of many channels over $name", (backend) => {
  it("reads no more to subscribe to, to hear and to unsubscribe from than one of few", async () => {
    const server = opened(await backend.open());
    const pubsub = opened(new PubSub({ transport: server.connect() }));
    let hear = (): void => {};
    pubsub.on("message", () => hear());

    const readOf = async (name: string): Promise<{ subscribing: number; hearing: number; unsubscribing: number }> => {
      const subscribing = await countRead(() => pubsub.subscribe(name, { timeout }));
      const heard = new Promise<void>((resolve) => {
        hear = resolve;
      });
      const hearing = await countRead(async () => {
        await pubsub.publish(name, 1, { timeout });
        await heard;
      });
      const unsubscribing = await countRead(async () => {
        await pubsub.unsubscribe(name);
        // Streams change in order, so this is confirmed when the server has been told.
        await pubsub.subscribe(`after ${name}`, { timeout });
      });
      return { subscribing, hearing, unsubscribing };
    };
    const open = (from: number, to: number) =>
      pubsub.subscribe(
        Array.from({ length: to - from }, (_, at) => `channel ${from + at}`),
        { timeout },
      );

    await open(1, 100);
    const few = await readOf("the 100th");
    await open(100, 1_000);
    const many = await readOf("the 1,000th");
    await open(1_000, 10_000);
    const most = await readOf("the 10,000th");
    for (const read of [many, most]) {
      expect(read.subscribing).toBeLessThan(few.subscribing + 50);
      expect(read.hearing).toBeLessThan(few.hearing + 50);
      expect(read.unsubscribing).toBeLessThan(few.unsubscribing + 50);
    }
  });
});
