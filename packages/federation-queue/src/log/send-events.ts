import type { PrimaryClient } from "../shared/primary-client.ts";
import { type AppendAnswer, appendScript, readAppendAnswer } from "./append-script.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import type { LogItem } from "./log-item.ts";
import type { Name } from "./name.ts";
import type { LogSettings } from "./settings.ts";
import { writeId } from "./stream-id.ts";

/** What one trip carries at most; one event may be larger. */
const mostPerTrip = 200;
const mostTripBytes = 256 << 10;

/** The first of these, as many as one trip may carry. */
export function tripOf(items: readonly LogItem[], mostItems: number = mostPerTrip): readonly LogItem[] {
  let bytes = 0;
  const most = Math.min(mostItems, mostPerTrip, items.length);
  for (let count = 0; count < most; count++) {
    bytes += items[count]?.bytes ?? 0;
    if (count > 0 && bytes > mostTripBytes) return items.slice(0, count);
  }
  return items.slice(0, most);
}

/** Sends events that have numbers. Called within a turn. @throws TransportError when no answer came, CommandError when Redis refuses it. */
export async function sendEvents(
  link: PrimaryClient,
  { keys, instanceId, leaseMs, retentionMs }: LogSettings,
  name: Name,
  clock: HybridClock,
  trip: readonly LogItem[],
  after: string,
): Promise<AppendAnswer> {
  // Nothing that is young by either clock is cut off.
  const floorMs = Math.min(clock.serverMs, trip[0]?.id?.atMs ?? 0) - retentionMs;
  const isRenewing = name.isRenewalDue;
  const events = trip.flatMap(({ id, text }) => (id ? [writeId(id), text] : []));
  const args = [instanceId, name.holder, after, floorMs > 0 ? floorMs : "", isRenewing ? leaseMs : "", ...events];
  const answer = readAppendAnswer(await link.run(appendScript, [keys.registry, keys.stream(instanceId)], args));
  if (answer.kind === "appended" && answer.nowMs !== undefined) name.renewed(answer.nowMs);
  return answer;
}
