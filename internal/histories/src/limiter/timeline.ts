import type { CallRecord, LimitRecord, RefundRecord, ResetRecord } from "./record.ts";

/** A call that was accepted, or may have been. Times are the receipt's where there is one, else those of the call. */
export interface Accept {
  readonly call: CallRecord;
  readonly loUs: number;
  readonly hiUs: number;
  readonly cost: number;
  readonly refunds: readonly RefundRecord[];
}

/** A stretch of time, without its beginning and with its end, as it looked to a call. */
export interface View {
  readonly fromUs: number;
  readonly toUs: number;
  /** The call that looks: refunds and resets before it count, those after it don't. */
  readonly by: Looker;
  /** What it need not have noticed: refunds and resets by others that ended after this. */
  readonly blindFromUs?: number;
}

/** A call that looks, and when: by the clock of the processes. */
export type Looker = Pick<CallRecord, "process" | "startUs" | "endUs" | "ticket">;

/**
 * What one subject's calls, refunds and resets allow one to say of its use, though their order is known in part only.
 */
export interface Timeline {
  /** Those that were surely accepted, in the order of their times. */
  readonly accepts: readonly Accept[];
  readonly refusals: readonly CallRecord[];
  readonly refunds: ReadonlyMap<string, readonly RefundRecord[]>;
  readonly resets: readonly ResetRecord[];
  acceptOf(ticket: string): Accept | undefined;
  /** Calls of the same time have no order: the one that ended last has seen whatever the others may have. */
  isLastOfItsTime(accept: Accept): boolean;
  /**
   * At least so much was used: what may have been given back, or forgotten, is left out. `known` filters the accepts.
   */
  least(view: View, known?: (accept: Accept) => boolean): number;
  /** At most so much was used: what may have been accepted is included. */
  most(view: View): number;
}

export function createTimeline(records: readonly LimitRecord[]): Timeline {
  const calls = records.filter((record) => record.kind === "call");
  const resets = records.filter((record) => record.kind === "reset");
  const refunds = byTicketOf(records.filter((record) => record.kind === "refund"));
  const toAccept = (call: CallRecord): Accept => ({
    call,
    loUs: call.acceptedUs ?? call.startUs,
    hiUs: call.acceptedUs ?? endOf(call),
    cost: call.cost,
    refunds: refunds.get(call.ticket) ?? [],
  });
  const accepts = calls.filter(({ outcome }) => outcome === "allowed").map(toAccept);
  accepts.sort((one, other) => one.hiUs - other.hiUs || one.loUs - other.loUs);
  const byTicket = new Map(accepts.map((accept) => [accept.call.ticket, accept]));
  const failed = calls.filter(({ outcome }) => outcome === "failed").map(toAccept);
  const longestUs = accepts.reduce((longest, { loUs, hiUs }) => Math.max(longest, hiUs - loUs), 0);
  const someResets = boundsOf(resets);
  const lastAt = new Map<number, CallRecord>();
  for (const { call, hiUs } of accepts) if (endOf(call) >= endOf(lastAt.get(hiUs) ?? call)) lastAt.set(hiUs, call);

  /** Of the accepts that end after a time, the first. */
  const after = (timeUs: number): number => {
    let [from, to] = [0, accepts.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((accepts[middle] as Accept).hiUs > timeUs) to = middle;
      else from = middle + 1;
    }
    return from;
  };

  return {
    accepts,
    refusals: calls.filter(({ outcome }) => outcome === "refused"),
    refunds,
    resets,
    acceptOf: (ticket) => byTicket.get(ticket),
    isLastOfItsTime: ({ call, hiUs }) => lastAt.get(hiUs) === call,
    least({ fromUs, toUs, by }, known = () => true) {
      const mayBeForgotten = someResets.lastBefore(by);
      const mayBeAnew = someResets.firstAfter(by);
      let used = 0;
      for (let at = after(fromUs); at < accepts.length; at++) {
        const accept = accepts[at] as Accept;
        if (accept.hiUs > toUs) break;
        if (accept.loUs <= fromUs || !known(accept)) continue;
        // Clocks differ: a call after a reset may be given a time before that of a call that the reset forgot.
        if (accept.call.startUs <= mayBeForgotten || endOf(accept.call) >= mayBeAnew) continue;
        if (accept.call.ticket === by.ticket || !accept.refunds.some((refund) => mayPrecede(refund, by)))
          used += accept.cost;
      }
      return used;
    },
    most({ fromUs, toUs, by, blindFromUs = Number.POSITIVE_INFINITY }) {
      const isOver = (end: RefundRecord | ResetRecord): boolean =>
        endOf(end) < by.startUs && (end.process === by.process || endOf(end) < blindFromUs);
      const forgotten = someResets.lastSure(isOver);
      let used = 0;
      const add = (accept: Accept): void => {
        if (accept.hiUs <= fromUs || accept.loUs > toUs || accept.call.startUs > endOf(by)) return;
        if (endOf(accept.call) < forgotten) return;
        if (!accept.refunds.some((refund) => refund.isGiven !== false && isOver(refund))) used += accept.cost;
      };
      for (let at = after(fromUs); at < accepts.length; at++) {
        const accept = accepts[at] as Accept;
        if (accept.hiUs > toUs + longestUs) break;
        add(accept);
      }
      failed.forEach(add);
      return used;
    },
  };
}

export const endOf = ({ endUs = Number.POSITIVE_INFINITY }: { readonly endUs?: number }): number => endUs;

/** Whether what one did may have taken effect before what the other did. */
export const mayPrecede = (one: RefundRecord | ResetRecord, other: Looker): boolean =>
  !(one.kind === "refund" && one.isGiven === false) && one.startUs <= endOf(other);

function byTicketOf(refunds: readonly RefundRecord[]): Map<string, RefundRecord[]> {
  const byTicket = new Map<string, RefundRecord[]>();
  for (const refund of refunds) {
    const others = byTicket.get(refund.ticket);
    if (others) others.push(refund);
    else byTicket.set(refund.ticket, [refund]);
  }
  return byTicket;
}

function boundsOf(resets: readonly ResetRecord[]): {
  /** What began before this may have been forgotten when a call looked. */
  lastBefore(by: Looker): number;
  /** What ended after this may belong to what began anew after a call. */
  firstAfter(by: Looker): number;
  /** What ended before this was surely forgotten. */
  lastSure(isOver: (reset: ResetRecord) => boolean): number;
} {
  const most = (times: readonly number[]): number => times.reduce((one, other) => Math.max(one, other), -Infinity);
  return {
    lastBefore: (by) => most(resets.filter((reset) => mayPrecede(reset, by)).map(endOf)),
    firstAfter: ({ startUs }) =>
      -most(resets.filter((reset) => endOf(reset) >= startUs).map((reset) => -reset.startUs)),
    lastSure: (isOver) => most(resets.filter(isOver).map(({ startUs }) => startUs)),
  };
}
