import { startRedisServer } from "@continuum-cache/conformance/servers";
import { closing } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { expect, it, vi } from "vitest";
import { PubSub } from "../src/index.ts";

const opened = closing();

it("a channel that is forbidden is refused alone, whether it is asked for first, together with others, or later", async () => {
  const redis = opened(await startRedisServer({ users: ["app on >secret resetchannels &app:* +@all ~*"] }));
  const url = `redis://app:secret@127.0.0.1:${redis.port}`;
  const pubsub = opened(new PubSub({ transport: opened(tcpTransport({ url })) }, { probeChannel: "app:alive" }));
  const heard: unknown[] = [];
  pubsub.on("message", ({ data }) => heard.push(data));
  const outcomes = await Promise.allSettled(["app:a", "other", "app:b"].map((channel) => pubsub.subscribe(channel)));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(outcomes[1]).toMatchObject({ reason: { kind: "unauthorized" } });
  const later = await Promise.allSettled(["another", "app:c"].map((channel) => pubsub.subscribe(channel)));
  expect(later.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  for (const channel of ["app:a", "app:b", "app:c"]) await pubsub.publish(channel, channel);
  await vi.waitFor(() => expect(heard).toEqual(["app:a", "app:b", "app:c"]), { timeout: 60_000 });
});
