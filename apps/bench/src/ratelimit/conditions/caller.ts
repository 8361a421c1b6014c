import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import { type CallRecord, machineTimeUs, type Subject } from "@continuum-cache/histories/limiter";
import { type Algorithm, RateLimiter } from "@continuum-cache/ratelimit";
import { tcpTransport } from "@continuum-cache/transport-tcp";

/** What one process does: it makes a limiter, and asks for one subject until its time is over. */
export interface CallerTask {
  readonly seed: number;
  readonly process: number;
  readonly url: string;
  readonly subject: Subject;
  /** The limiter's option of this name. */
  readonly processes: number | undefined;
  readonly algorithm: Algorithm;
  /** Whether refusals may be answered from memory. */
  readonly denyCache: boolean;
  readonly forMs: number;
  /** So many calls at a time. */
  readonly lanes: number;
  /** Between two calls of a lane, on average. */
  readonly pauseMs: number;
  readonly clockOffsetUs: number;
}

/** @returns what became of each call. */
export async function callAll(task: CallerTask): Promise<CallRecord[]> {
  const { seed, process, url, subject, processes, forMs, lanes, pauseMs, clockOffsetUs } = task;
  const { algorithm, denyCache } = task;
  const transport = tcpTransport({ url });
  const limiter = new RateLimiter(
    { transport },
    { algorithm, ...(processes !== undefined && { processes }), ...(!denyCache && { denyCache }) },
  );
  // What it says of outages is not measured here.
  limiter.on("error", () => {});
  const endMs = performance.now() + forMs;
  const records: CallRecord[] = [];

  const lane = async (number: number): Promise<void> => {
    const random = createRandom(seed, process, number);
    while (performance.now() < endMs) {
      const startUs = machineTimeUs(clockOffsetUs);
      const decision = await limiter.limit(subject.id, { window: `${subject.windowMs}ms`, limit: subject.limit });
      const { allowed, source, decidedAtUs, receipt } = decision;
      records.push({
        kind: "call",
        process,
        subject: 0,
        ticket: `${process}.${records.length}`,
        cost: 1,
        startUs,
        endUs: machineTimeUs(clockOffsetUs) + 1,
        outcome: allowed ? "allowed" : "refused",
        source,
        decidedUs: decidedAtUs,
        ...(receipt && { acceptedUs: receipt.atUs }),
      });
      await sleep(2 * pauseMs * random.next());
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  await Promise.race([limiter.close(), sleep(2_000)]);
  await transport.close();
  return records;
}
