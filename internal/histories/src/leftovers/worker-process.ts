import { FederationQueue, SyncLog } from "@continuum-cache/federation-queue";
import { serveWorker } from "../fleet/serve-worker.ts";
import { connectTo } from "../site/connect.ts";
import { type LeftoverNote, type LeftoverTask, logOptions, queueOptions } from "./tasks.ts";

/** Events are appended for some of the messages only: each is read by all. */
const messagesPerEvent = 50;

/** A process that works on messages and follows the log until it is told to stop, or killed. */
serveWorker<LeftoverTask, LeftoverNote, never>(({ address, instanceId }, _, tell) => {
  const transport = connectTo(address, 2_000);
  const queue = new FederationQueue<number>({ transport }, queueOptions);
  const log = new SyncLog<number>({ transport }, { ...logOptions, instanceId });
  const ending = new AbortController();
  const stopped = new Promise<void>((resolve) => ending.signal.addEventListener("abort", () => resolve()));
  let count = 0;
  const follow = async (): Promise<void> => {
    for await (const entry of log.follow({ signal: ending.signal })) void entry.commit();
  };
  const done = async (): Promise<void> => {
    const following = follow();
    queue.consume(
      async (number) => {
        if (count++ % messagesPerEvent === 0) await log.append(number);
        if (count === 1) tell("working");
      },
      { concurrency: 50 },
    );
    tell("consuming");
    await stopped;
    await queue.close();
    await log.close();
    await following;
    await transport.close();
  };
  return { hear: () => ending.abort(), done: done() };
});
