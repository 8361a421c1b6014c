import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import { isTransportError } from "@continuum-cache/core";
import type { RecordFile } from "../fleet/record-file.ts";
import type { Work } from "../fleet/serve-worker.ts";
import type { Contender } from "./clients/contender.ts";
import { openOurs } from "./clients/ours.ts";
import { textOf } from "./message-data.ts";
import type { PublishRecord, PubSubRecord } from "./record.ts";
import type { LaneTask, Note, PublishTask } from "./tasks.ts";

/** Publishes on all lanes until it is told to stop. */
export function publishWork(
  { lanes, address, settings, seed }: PublishTask,
  records: RecordFile<PubSubRecord>,
): Work<Note> {
  const contender = openOurs(address, settings);
  let isOver = false;

  const run = async (lane: LaneTask, at: number): Promise<void> => {
    const random = createRandom(seed, at);
    let burst = 0;
    for (let number = 0; !isOver; number++) {
      records.write(await publishOne(contender, lane, number));
      if (burst > 0) burst--;
      else if (random.chance(0.01)) burst = random.between(20, 100);
      if (burst === 0) await sleep(random.between(0, lane.jitterMs));
    }
  };
  const done = async (): Promise<void> => {
    await Promise.all(lanes.map(run));
    await contender.close();
  };
  return {
    hear(note) {
      if (note.kind === "stop") isOver = true;
    },
    done: done(),
  };
}

async function publishOne(contender: Contender, lane: LaneTask, number: number): Promise<PublishRecord> {
  const { publisher, channel, replay } = lane;
  const id = { publisher, number };
  const startMs = Date.now();
  const told = { kind: "publish", ...id, channel, startMs } as const;
  try {
    const { position, isDegraded } = await contender.publish(channel, { ...id, startMs, text: textOf(id) }, replay);
    const outcome = isDegraded ? "degraded" : "acked";
    return { ...told, endMs: Date.now(), outcome, ...(position && { position }) };
  } catch (error) {
    const isUnknown = isTransportError(error) && error.delivery === "unknown";
    return { ...told, endMs: Date.now(), outcome: isUnknown ? "unknown" : "none" };
  }
}
