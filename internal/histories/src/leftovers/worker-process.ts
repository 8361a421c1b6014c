import { FederationQueue, SyncLog } from "@continuum-cache/federation-queue";
import { serveSessions } from "../fleet/serve.ts";
import { connectTo } from "../site/address.ts";
import { type LeftoverTask, logOptions, queueOptions, timeoutMs } from "./tasks.ts";

/** Events are appended for some of the messages only: each is read by all. */
const messagesPerEvent = 50;

/** A process that works on messages and follows the log. */
serveSessions<LeftoverTask, never>(({ address, process: instanceId }) => {
  const transport = connectTo(address, timeoutMs);
  const queue = new FederationQueue<number>({ transport }, queueOptions);
  const log = new SyncLog<number>({ transport }, { ...logOptions, instanceId });
  const ending = new AbortController();
  let count = 0;
  const follow = async (): Promise<void> => {
    for await (const entry of log.follow({ signal: ending.signal })) void entry.commit();
  };
  const following = follow();
  queue.consume(
    async (number) => {
      if (count++ % messagesPerEvent === 0) await log.append(number);
    },
    { concurrency: 50 },
  );
  return {
    async stop() {
      ending.abort();
      await queue.close();
      await log.close();
      await following;
      await transport.close();
    },
  };
});
