import type { FaultRecord } from "../../checking/records.ts";
import type { Finding } from "../../checking/rules.ts";
import { createFollowers } from "../followers.ts";
import { type Heard, type History, heardIn, type Life } from "../history.ts";
import { type GapRecord, nameOf, type Place, type PublishRecord } from "../record.ts";
import { type Stretch, type Walk, walk } from "../replay-walk.ts";
import type { Violation } from "../violation.ts";
import { checkLoopCount } from "./loop-count.ts";

/**
 * With a history: nothing is lost, repeated or out of order; what the history does not reach back to is counted
 * exactly. A gap without a count is allowed only to those who lived, or rested, through a loss on the server's side,
 * and to those who had nothing of a history to go on from when their stream broke.
 *
 * What the server acknowledged and lost before a subscriber read it leaves no trace when only the end was lost and
 * its numbers were given anew: such messages are counted as forgotten. So are those under the new numbers when the
 * subscriber's own last message, which would have told, was trimmed meanwhile.
 */
export function checkReplayLoss(history: History): Finding<Violation> {
  const violations: Violation[] = [];
  /** Messages that are missing as told. */
  let coveredByReplay = 0;
  /**
   * Messages that the server acknowledged and then lost before the subscriber read them: no client could have known.
   */
  let forgotten = 0;
  for (const life of history.lives) {
    if (life.open.mode !== "replay") continue;
    const walked = life.open.through === "handler" ? walk(life) : loopWalk(life, history);
    violations.push(...walked.violations, ...checkUncounted(life, walked, history));
    const loss = explain(life, walked, history);
    violations.push(...loss.violations);
    coveredByReplay += loss.covered;
    forgotten += loss.forgotten;
  }
  return { violations, counts: { coveredByReplay, forgotten } };
}

function loopWalk(life: Life, history: History): Walk {
  const gaps = life.items.flatMap((gap, index) => (gap.kind === "gap" ? [{ gap, index }] : []));
  const { violations, counted } = checkLoopCount(life, history);
  return { violations, counted, uncounted: gaps.filter(({ gap }) => gap.missed === undefined) };
}

/** What is missing in one life, and how much of it was told. */
interface Loss {
  readonly violations: readonly Violation[];
  readonly covered: number;
  readonly forgotten: number;
}

/** Allowed are those behind a loss, as long as nothing was handed out that was published since. */
function checkUncounted(life: Life, { uncounted }: Walk, { faults, publishes }: History): Violation[] {
  const { open } = life;
  const heard = heardIn(life, publishes);
  const isAllowed = (gap: GapRecord, at: number): boolean =>
    faults.some(
      ({ forgets, startMs, endMs }) =>
        forgets !== undefined &&
        startMs <= gap.atMs &&
        !heard.some(({ index, publish, delivery }) => index < at && publish.startMs > endMs && !delivery.degraded),
    ) ||
    (gap.reason === "interrupted" && (open.isDegraded === true || isFirstOfAll(at)));
  /** Nothing was handed out before, nor surely stood in the history when the subscriber read it. */
  const isFirstOfAll = (at: number): boolean =>
    !heard.some(({ index, delivery }) => index < at && !delivery.degraded) &&
    ![...publishes.values()].some(({ channel, outcome, endMs }) => {
      return open.channels.includes(channel) && outcome === "acked" && endMs < open.askedMs;
    });
  return uncounted
    .filter(({ gap, index }) => !isAllowed(gap, index))
    .map(({ gap }) => ({ kind: "uncounted-gap", subscriber: open.subscriber, detail: JSON.stringify(gap) }));
}

function explain(life: Life, { counted, uncounted }: Walk, { publishes, faults }: History): Loss {
  const { subscriber, channels } = life.open;
  const violations: Violation[] = [];
  const blamed = new Set<GapRecord>();
  let covered = 0;
  let forgotten = 0;
  const heard = heardIn(life, publishes).filter(({ delivery }) => !delivery.degraded);
  const delivered = new Set(heard.map(({ publish }) => publish));
  const firstBehind = createFollowers(heard);
  for (const publish of publishes.values()) {
    if (publish.outcome !== "acked" || delivered.has(publish) || !channels.includes(publish.channel)) continue;
    const behind = firstBehind(publish.endMs);
    if (!behind || !isAwaited(life, publish)) continue;
    if (publish.position && isIn(counted, publish.position)) {
      covered++;
      continue;
    }
    const told = { subscriber, channel: publish.channel, message: nameOf(publish) };
    const reaching = uncounted.filter(({ gap }) => gap.toMs >= publish.startMs);
    const inTime = reaching.filter(({ index }) => index < behind.index);
    const [first] = inTime;
    if (first) {
      covered++;
      const { gap } = first;
      if (inTime.some(({ gap }) => gap.fromMs <= publish.endMs) || blamed.has(gap)) continue;
      blamed.add(gap);
      violations.push({
        kind: "gap-times",
        ...told,
        detail: `published until ${publish.endMs}, ${JSON.stringify(gap)}`,
      });
    } else if (
      wasForgotten(publish, behind.delivery.atMs, faults) ||
      wasRenumbered(publish, behind, heard, life, faults)
    ) {
      forgotten++;
    } else if (reaching.length > 0) {
      violations.push({ kind: "late-gap", ...told, detail: `told after ${nameOf(behind.publish)}` });
    } else {
      const { epoch, seq } = publish.position ?? {};
      violations.push({ kind: "lost", ...told, detail: `${epoch}-${seq}, before ${nameOf(behind.publish)}` });
    }
  }
  return { violations, covered, forgotten };
}

/** Whether the subscriber is to have it: it lies behind its beginning. */
function isAwaited({ open }: Life, { position, startMs }: PublishRecord): boolean {
  if (typeof open.after !== "object" || !position) return startMs > open.atMs;
  const { epoch, seq } = open.after;
  return position.epoch === epoch ? position.seq > seq : position.epoch > epoch;
}

const isIn = (stretches: readonly Stretch[], { epoch, seq }: Place): boolean =>
  stretches.some((stretch) => stretch.epoch === epoch && stretch.from <= seq && seq <= stretch.to);

function wasForgotten(publish: PublishRecord, untilMs: number, faults: readonly FaultRecord[]): boolean {
  return faults.some(
    ({ forgets, startMs, endMs }) => forgets === "tail" && endMs >= publish.startMs && startMs <= untilMs,
  );
}

/** Whether its number was another message's before, and the gap behind that one has counted from there. */
function wasRenumbered(
  { position }: PublishRecord,
  behind: Heard,
  heard: readonly Heard[],
  { items }: Life,
  faults: readonly FaultRecord[],
): boolean {
  const before = heard.findLast(({ index }) => index < behind.index);
  const last = before?.delivery.position;
  return (
    faults.some(({ forgets }) => forgets === "tail") &&
    before !== undefined &&
    position !== undefined &&
    last?.epoch === position.epoch &&
    last.seq >= position.seq &&
    items.slice(before.index, behind.index).some((item) => item.kind === "gap" && item.missed !== undefined)
  );
}
