import { memoryTransport } from "@continuum-cache/fallback-memory";
import { expect, it } from "vitest";
import { PubSub } from "../../src/pubsub.ts";

it("a message that can be aborted comes behind those that were published before it in the same tick", async () => {
  const transport = memoryTransport();
  const pubsub = new PubSub({ transport });
  const { signal } = new AbortController();
  await pubsub.publish("news", "first", { replay: true });
  const published = await Promise.all([
    pubsub.publish("news", "second", { replay: true }),
    pubsub.publish("news", "third", { replay: true, signal }),
    pubsub.publish("news", "fourth", { replay: true }),
  ]);
  expect(published.map(({ position }) => position?.seq)).toEqual([1, 2, 3]);
  await pubsub.close();
  await transport.close();
});
