import { getEventListeners } from "node:events";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { expect, it } from "vitest";
import { PubSub } from "../src/index.ts";

it("adds one listener to a signal that many loops share, and removes it when they have ended", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const transport = memoryTransport();
  const pubsub = new PubSub({ transport });
  await pubsub.subscribe("news");
  const loops = Array.from({ length: 12 }, async () => {
    for await (const { data } of pubsub.listen({ signal })) expect(data).toBe(1);
  });
  await pubsub.publish("news", 1);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  controller.abort();
  await Promise.all(loops);
  expect(getEventListeners(signal, "abort")).toEqual([]);
  await pubsub.close();
  await transport.close();
});
