import type { Command, Transport } from "@continuum-cache/core";
import { registerDispatch, throughSend } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { expect, it, vi } from "vitest";
import { SyncLog } from "../src/log/sync-log.ts";
import { FederationQueue } from "../src/queue/federation-queue.ts";
import { closing } from "./queue/backends.ts";

const opened = closing();

/** A transport for which a stand-in may answer, and what was sent by way of the stand-in. */
const withStandIn = () => {
  const primary = opened(memoryTransport());
  const sent: Command[] = [];
  const transport: Transport = {
    ...primary,
    async send(commands, options) {
      sent.push(...commands);
      return primary.send(commands, options);
    },
    subscribe: async () => {
      throw new Error("Expected to be passed by");
    },
  };
  return { transport: registerDispatch(transport, throughSend(transport), { primary }), sent };
};

it("a queue never sends or listens through a fallback", async () => {
  const { transport, sent } = withStandIn();
  const queue = opened(new FederationQueue<number>({ transport }));
  const errors: unknown[] = [];
  queue.on("error", (error) => errors.push(error));
  await queue.push(1, { id: "one" });
  await queue.pushMany([{ event: 2 }, { event: 3, delay: "1h" }]);
  const leases = await queue.pull({ max: 10 });
  await Promise.all(leases.map((lease, at) => (at === 0 ? lease.ack() : lease.nack({ delay: 0 }))));
  const done: number[] = [];
  const worker = queue.consume((event) => void done.push(event));
  await queue.push(4);
  await vi.waitFor(() => expect(done.length).toBe(leases.length), { timeout: 60_000 });
  await queue.stats();
  await worker.stop();
  await queue.close();
  expect({ sent, errors }).toEqual({ sent: [], errors: [] });
});

it("a log sends nothing by way of a fallback, and does not listen through it", async () => {
  const { transport, sent } = withStandIn();
  const log = opened(new SyncLog<number>({ transport }, { instanceId: "a" }));
  const reader = opened(new SyncLog<number>({ transport }, { instanceId: "b" }));
  const errors: unknown[] = [];
  for (const each of [log, reader]) each.on("error", (error) => errors.push(error));
  const ending = new AbortController();
  const seen: number[] = [];
  const following = (async () => {
    for await (const entry of reader.follow({ signal: ending.signal, from: "beginning" })) {
      seen.push(entry.event);
      await entry.commit();
    }
  })();
  await log.append(1);
  await log.append(2);
  await vi.waitFor(() => expect(seen).toEqual([1, 2]), { timeout: 60_000 });
  ending.abort();
  await following;
  await Promise.all([log.close(), reader.close()]);
  expect({ sent, errors }).toEqual({ sent: [], errors: [] });
});
