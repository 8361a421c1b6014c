import { closing } from "@continuum-cache/conformance/servers";
import { UpstashCache } from "continuum-cache";
import { afterEach, describe, expect, it } from "vitest";
import { backends, optionsFor } from "./backends.ts";

const opened = closing(afterEach);

describe.each(backends)("a cache's messages over $name", (backend) => {
  it("are heard as they were sent, on channels and by patterns", async () => {
    const running = opened(await backend.start());
    const cache = opened(new UpstashCache(optionsFor(running, { codec: "msgpack" })));
    const pubsub = opened(cache.pubsub());
    await pubsub.subscribe("ws:memory:updates");
    await pubsub.psubscribe("ws:*:events");
    const update = { type: "memory_updated", memoryId: "concept_123", at: new Date(0), count: 2n ** 53n + 1n };
    expect(await cache.publish("ws:memory:updates", update)).toBeGreaterThan(0);
    await cache.publish("ws:session:events", { type: "opened" });
    const heard: unknown[] = [];
    for await (const { channel, data } of pubsub.listen()) {
      heard.push([channel, data]);
      if (heard.length === 2) break;
    }
    // Over REST channels and patterns are two streams.
    expect(heard).toEqual(
      expect.arrayContaining([
        ["ws:memory:updates", update],
        ["ws:session:events", { type: "opened" }],
      ]),
    );
  });
});
