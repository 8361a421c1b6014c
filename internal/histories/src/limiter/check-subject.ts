import type { CallRecord, LimitRecord } from "./record.ts";
import type { Subject } from "./subject.ts";
import { type Accept, createTimeline, endOf, mayPrecede, type Timeline, type View } from "./timeline.ts";
import type { Violation, ViolationKind } from "./violation.ts";

/** What a limiter promises besides the limit. */
export interface Promises {
  /**
   * Times of receipts are later than the call by this at most, in microseconds: rounded up, or known so exactly only.
   */
  roundedUs(subject: Subject): number;
  /** How long a denial may be remembered that somebody else has lifted. */
  readonly denyCacheUs: number;
}

interface Case {
  readonly subject: Subject;
  readonly windowUs: number;
  readonly roundedUs: number;
  readonly denyCacheUs: number;
  readonly timeline: Timeline;
  object(kind: ViolationKind, ticket: string, amount: number): void;
}

/** The processes' notions of the server's time, and their own clocks, may be so far apart. */
const clockMarginUs = 150_000;
/** Who is told how long to wait begins when the answer is there, by a clock that is not quite the key's. */
const retryMarginUs = 25_000;

/** Holds all that happened to one subject against the promises. */
export function checkSubject(
  subject: Subject,
  at: number,
  records: readonly LimitRecord[],
  promises: Promises,
): Violation[] {
  const violations: Violation[] = [];
  const one: Case = {
    subject,
    windowUs: subject.windowMs * 1_000,
    roundedUs: promises.roundedUs(subject),
    denyCacheUs: promises.denyCacheUs,
    timeline: createTimeline(records),
    object: (kind, ticket, amount) => void violations.push({ kind, subject: at, ticket, amount }),
  };
  for (const accept of one.timeline.accepts) {
    checkWindow(one, accept, "over-limit");
    checkTime(one, accept);
  }
  const byIntervals = { ...one, timeline: createTimeline(records.map(withoutReceipt)) };
  for (const accept of byIntervals.timeline.accepts) checkWindow(byIntervals, accept, "certainly-over-limit");
  for (const refusal of one.timeline.refusals) checkRefusal(one, refusal);
  for (const ticket of one.timeline.refunds.keys()) checkRefunds(one, ticket);
  return violations;
}

/** The window that ends with an accepted call is as full as any: it may hold the limit, and nothing above. */
function checkWindow({ subject, windowUs, timeline, object }: Case, accept: Accept, kind: ViolationKind): void {
  const { call, hiUs } = accept;
  if (!timeline.isLastOfItsTime(accept)) return;
  const used = timeline.least({ fromUs: hiUs - windowUs, toUs: hiUs, by: call });
  if (used > subject.limit) object(kind, call.ticket, used - subject.limit);
}

/** The time on a receipt lies within its call. */
function checkTime({ roundedUs, object }: Case, { call }: Accept): void {
  if (call.acceptedUs === undefined) return;
  const offUs = Math.max(call.startUs - call.acceptedUs, call.acceptedUs - roundedUs - endOf(call));
  if (offUs > 0) object("wrong-time", call.ticket, offUs);
}

/** What is known of a call to one who trusts no limiter's clock: when it began and when it was over. */
function withoutReceipt(record: LimitRecord): LimitRecord {
  if (record.kind !== "call") return record;
  const { acceptedUs: _accepted, decidedUs: _decided, ...rest } = record;
  return rest;
}

function checkRefusal(one: Case, refusal: CallRecord): void {
  const { subject, windowUs, roundedUs, denyCacheUs, timeline, object } = one;
  const { ticket, cost, source, startUs, decidedUs, retryUs } = refusal;
  const [loUs, hiUs] = decidedUs === undefined ? [startUs, endOf(refusal)] : [decidedUs, decidedUs];
  const isRemembered = source === "deny-cache";
  const blind: Partial<View> = isRemembered ? { blindFromUs: startUs - denyCacheUs } : {};
  // A remembered denial is told by the time of its process: what it stands on may bear a later one.
  const view = { toUs: hiUs + (isRemembered ? clockMarginUs : roundedUs), by: refusal };
  const freeAt = (timeUs: number, more: Partial<View> = {}): number =>
    subject.limit - cost - timeline.most({ ...view, ...more, fromUs: timeUs - windowUs });

  const free = freeAt(loUs);
  if (free >= 0) object(isRemembered && freeAt(loUs, blind) < 0 ? "late-denial" : "false-refusal", ticket, free + 1);
  if (retryUs === undefined) return;

  if (free < 0 && freeAt(retryUs - retryMarginUs, blind) >= 0) {
    const freeUs = firstTime(loUs, retryUs, (timeUs) => freeAt(timeUs, blind) >= 0);
    object("retry-too-late", ticket, retryUs - freeUs);
  }
  // A denial that is remembered cannot know what was accepted since.
  if (isRemembered) return;
  const taken = timeline.least(
    { ...view, fromUs: retryUs + retryMarginUs - windowUs },
    ({ call }) => endOf(call) < startUs,
  );
  if (taken + cost > subject.limit) object("retry-too-early", ticket, taken + cost - subject.limit);
}

/** The first microsecond at which something is so that stays so; it is at the end. */
function firstTime(fromUs: number, toUs: number, isSo: (timeUs: number) => boolean): number {
  let [before, after] = [fromUs, toUs];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (isSo(middle)) after = middle;
    else before = middle;
  }
  return after;
}

function checkRefunds({ windowUs, timeline, object }: Case, ticket: string): void {
  const refunds = timeline.refunds.get(ticket) ?? [];
  const given = refunds.filter(({ isGiven }) => isGiven === true);
  if (given.length > 1) object("refunded-twice", ticket, given.length);

  const accept = timeline.acceptOf(ticket);
  for (const refund of refunds) {
    if (refund.isGiven !== false || !accept) continue;
    const isStillGood = endOf(refund) < accept.hiUs + windowUs - clockMarginUs;
    const isFirst = refunds.every((other) => other === refund || other.startUs > endOf(refund));
    const isForgotten = timeline.resets.some(
      (reset) => mayPrecede(reset, refund) && endOf(reset) >= accept.call.startUs,
    );
    if (isStillGood && isFirst && !isForgotten) object("refund-lost", ticket, accept.cost);
  }
}
