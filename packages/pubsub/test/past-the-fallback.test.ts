import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing, standInFor } from "@continuum-cache/fixtures";
import { expect, it, vi } from "vitest";
import { PubSub } from "../src/index.ts";

const opened = closing();

it("sends histories and probes past a fallback, and volatile messages through it", async () => {
  const { transport, sent } = standInFor(opened(memoryTransport()));
  const pubsub = opened(new PubSub({ transport }));
  await pubsub.publish("c", 1, { replay: true });
  const heard: unknown[] = [];
  await pubsub.subscribe("c", { replay: true, onMessage: ({ data }) => void heard.push(data) });
  await pubsub.publish("c", 2, { replay: true });
  await vi.waitFor(() => expect(heard).toContain(2), { timeout: 60_000 });
  expect(sent).toEqual([]);
  await pubsub.publish("c", 3);
  expect(sent.map(([name]) => name)).toEqual(["PUBLISH"]);
});
