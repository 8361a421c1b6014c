import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import { isTransportError } from "@continuum-cache/core";
import type { Records, Session } from "../fleet/serve.ts";
import { openOurs } from "./clients/ours.ts";
import { messageText } from "./message-data.ts";
import type { PublishRecord, PubSubRecord } from "./record.ts";
import type { LaneTask, PublishTask } from "./tasks.ts";

/** Publishes on all lanes until it is told to stop. */
export function publishWork(task: PublishTask, records: Records<PubSubRecord>): Session {
  const { process, lanes, address, settings, seed } = task;
  const client = openOurs(address, settings);
  let isOver = false;

  const publish = async ({ publisher, channel, replay }: LaneTask, number: number): Promise<PublishRecord> => {
    const id = { publisher, number };
    const startMs = Date.now();
    const told = { kind: "publish", process, ...id, channel, startMs } as const;
    try {
      const { position, isDegraded } = await client.publish(channel, { ...id, startMs, text: messageText(id) }, replay);
      const outcome = isDegraded ? "degraded" : "acked";
      return { ...told, endMs: Date.now(), outcome, ...(position && { position }) };
    } catch (error) {
      const isUnknown = isTransportError(error) && error.delivery === "unknown";
      return { ...told, endMs: Date.now(), outcome: isUnknown ? "unknown" : "none" };
    }
  };
  const run = async (lane: LaneTask, at: number): Promise<void> => {
    const random = createRandom(seed, at);
    let burst = 0;
    for (let number = 0; !isOver; number++) {
      records.write(await publish(lane, number));
      if (burst > 0) burst--;
      else if (random.chance(0.01)) burst = random.between(20, 100);
      if (burst === 0) await sleep(random.between(0, lane.jitterMs));
    }
  };
  const running = Promise.all(lanes.map(run));
  return {
    async stop() {
      isOver = true;
      await running;
      await client.close();
    },
  };
}
