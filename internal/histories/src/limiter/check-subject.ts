import { applyRules, type Rules } from "../checking/rules.ts";
import type { Subject } from "./contender.ts";
import type { CallRecord, LimitRecord } from "./record.ts";
import { type Accept, createTimeline, endOf, mayPrecede, type Timeline, type View } from "./timeline.ts";
import type { Violation, ViolationKind } from "./violation.ts";

/** What a limiter promises besides the limit. */
export interface Promises {
  /**
   * Times of receipts are later than the call by this at most, in microseconds: rounded up, or known so exactly only.
   */
  roundedUs(subject: Subject): number;
  /** How long a denial may be remembered that another process has lifted. */
  readonly denyCacheUs: number;
}

/** All that happened to one subject, and what was promised. */
interface Case {
  readonly subject: Subject;
  readonly at: number;
  readonly windowUs: number;
  readonly roundedUs: number;
  readonly denyCacheUs: number;
  readonly timeline: Timeline;
  /** The same as it is known without the clock of the limiter: when calls began and when they were over. */
  readonly byIntervals: Timeline;
}

type Report = (kind: ViolationKind, ticket: string, amount: number) => void;

/** The processes' notions of the server's time, and their own clocks, may be so far apart. */
const clockMarginUs = 150_000;
/** A caller that is told how long to wait begins when the answer is there, by a clock that is not quite the key's. */
const retryMarginUs = 25_000;

/** What is promised about each subject. */
const rules: Rules<Case, Violation> = {
  window: {
    promise: "No window holds more than the limit.",
    check: reported((one, report) => {
      for (const accept of one.timeline.accepts) checkWindow(one, one.timeline, accept, "over-limit", report);
    }),
  },
  "certain window": {
    promise: "No window holds more than the limit, whatever the limiter's clock says.",
    check: reported((one, report) => {
      const { byIntervals } = one;
      for (const accept of byIntervals.accepts) checkWindow(one, byIntervals, accept, "certainly-over-limit", report);
    }),
  },
  time: {
    promise: "The time on a receipt lies within its call.",
    check: reported((one, report) => {
      for (const accept of one.timeline.accepts) checkTime(one, accept, report);
    }),
  },
  refusal: {
    promise: "A call is refused only where there is no room, and its wait is neither too short nor too long.",
    check: reported((one, report) => {
      for (const refusal of one.timeline.refusals) checkRefusal(one, refusal, report);
    }),
  },
  refunds: {
    promise: "A receipt gives back once, and as long as it is good.",
    check: reported((one, report) => {
      for (const ticket of one.timeline.refunds.keys()) checkRefunds(one, ticket, report);
    }),
  },
};

function reported(check: (one: Case, report: Report) => void): (one: Case) => Violation[] {
  return (one) => {
    const violations: Violation[] = [];
    check(one, (kind, ticket, amount) => {
      violations.push({ kind, subject: one.at, ticket, amount, detail: `by ${amount}, of call ${ticket}` });
    });
    return violations;
  };
}

/** Holds all that happened to one subject against the promises. */
export function checkSubject(
  subject: Subject,
  at: number,
  records: readonly LimitRecord[],
  promises: Promises,
): readonly Violation[] {
  return applyRules(rules, {
    subject,
    at,
    windowUs: subject.windowMs * 1_000,
    roundedUs: promises.roundedUs(subject),
    denyCacheUs: promises.denyCacheUs,
    timeline: createTimeline(records),
    byIntervals: createTimeline(records.map(withoutReceipt)),
  }).violations;
}

/** The window that ends with an accepted call is as full as any: it may hold the limit, and nothing above. */
function checkWindow(
  { subject, windowUs }: Case,
  timeline: Timeline,
  accept: Accept,
  kind: ViolationKind,
  report: Report,
): void {
  const { call, hiUs } = accept;
  if (!timeline.isLastOfItsTime(accept)) return;
  const used = timeline.least({ fromUs: hiUs - windowUs, toUs: hiUs, by: call });
  if (used > subject.limit) report(kind, call.ticket, used - subject.limit);
}

/** The time on a receipt lies within its call. */
function checkTime({ roundedUs }: Case, { call }: Accept, report: Report): void {
  if (call.acceptedUs === undefined) return;
  const offUs = Math.max(call.startUs - call.acceptedUs, call.acceptedUs - roundedUs - endOf(call));
  if (offUs > 0) report("wrong-time", call.ticket, offUs);
}

/** What is known of a call without the clock of a limiter: when it began and when it was over. */
function withoutReceipt(record: LimitRecord): LimitRecord {
  if (record.kind !== "call") return record;
  const { acceptedUs: _accepted, decidedUs: _decided, ...rest } = record;
  return rest;
}

function checkRefusal(one: Case, refusal: CallRecord, report: Report): void {
  const { subject, windowUs, roundedUs, denyCacheUs, timeline } = one;
  const { ticket, cost, source, startUs, decidedUs, retryUs } = refusal;
  const [loUs, hiUs] = decidedUs === undefined ? [startUs, endOf(refusal)] : [decidedUs, decidedUs];
  const isRemembered = source === "deny-cache";
  const blind: Partial<View> = isRemembered ? { blindFromUs: startUs - denyCacheUs } : {};
  // A remembered denial is told by the time of its process: what it stands on may bear a later one.
  const view = { toUs: hiUs + (isRemembered ? clockMarginUs : roundedUs), by: refusal };
  const freeAt = (timeUs: number, more: Partial<View> = {}): number =>
    subject.limit - cost - timeline.most({ ...view, ...more, fromUs: timeUs - windowUs });

  const free = freeAt(loUs);
  if (free >= 0) report(isRemembered && freeAt(loUs, blind) < 0 ? "late-denial" : "false-refusal", ticket, free + 1);
  if (retryUs === undefined) return;

  if (free < 0 && freeAt(retryUs - retryMarginUs, blind) >= 0) {
    const freeUs = firstTime(loUs, retryUs, (timeUs) => freeAt(timeUs, blind) >= 0);
    report("retry-too-late", ticket, retryUs - freeUs);
  }
  // A denial that is remembered cannot know what was accepted since.
  if (isRemembered) return;
  const taken = timeline.least(
    { ...view, fromUs: retryUs + retryMarginUs - windowUs },
    ({ call }) => endOf(call) < startUs,
  );
  if (taken + cost > subject.limit) report("retry-too-early", ticket, taken + cost - subject.limit);
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

function checkRefunds({ windowUs, timeline }: Case, ticket: string, report: Report): void {
  const refunds = timeline.refunds.get(ticket) ?? [];
  const given = refunds.filter(({ isGiven }) => isGiven === true);
  if (given.length > 1) report("refunded-twice", ticket, given.length);

  const accept = timeline.acceptOf(ticket);
  for (const refund of refunds) {
    if (refund.isGiven !== false || !accept) continue;
    const isStillGood = endOf(refund) < accept.hiUs + windowUs - clockMarginUs;
    const isFirst = refunds.every((other) => other === refund || other.startUs > endOf(refund));
    const isForgotten = timeline.resets.some(
      (reset) => mayPrecede(reset, refund) && endOf(reset) >= accept.call.startUs,
    );
    if (isStillGood && isFirst && !isForgotten) report("refund-lost", ticket, accept.cost);
  }
}
