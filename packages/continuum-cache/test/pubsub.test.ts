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

  it("with a history are heard by those who come later", async () => {
    const running = opened(await backend.start());
    const cache = opened(new UpstashCache(optionsFor(running)));
    const replay = { count: 100, age: "1m" } as const;
    for (const data of [1, 2, 3]) expect(await cache.publish("orders", data, { replay })).toBe(0);
    const pubsub = opened(cache.pubsub());
    await pubsub.subscribe("orders", { replay, after: "beginning" });
    const heard: unknown[] = [];
    for await (const { data, position } of pubsub.listen()) {
      heard.push([data, position?.seq]);
      if (heard.length === 3) break;
    }
    expect(heard).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
  });
});
