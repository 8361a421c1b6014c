import { setImmediate as breathe, setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import type { Contender } from "./contender.ts";
import { machineTimeUs } from "./machine-clock.ts";
import type { CallRecord, LimitRecord } from "./record.ts";
import { createSchedule, isAwake, type Step, subjects } from "./schedule.ts";

/** What one process is to do. */
export interface ClientRun {
  readonly seed: number;
  readonly process: number;
  /** Which subjects it may ask for. */
  readonly offered: readonly number[];
  readonly hasReceipts: boolean;
  /** Of the clock that all processes share: `machineTimeUs`. */
  readonly clockOffsetUs: number;
}

/** An accepted call that may be given back, wherever it was accepted. */
export interface Token {
  readonly ticket: string;
  readonly subject: number;
  readonly cost: number;
  readonly acceptedMs: number;
  readonly receipt: unknown;
}

export interface Client {
  /** Makes so many decisions more. */
  run(decisions: number): Promise<void>;
  /** Takes what another process has accepted. */
  take(token: Token): void;
}

const lanes = 8;
/** So many receipts are kept for later, of this process and of others. */
const mostTokens = 40;

/** @param tell - Is given each record. @param pass - Is given what another process may give back. */
export function createClient(
  contender: Contender,
  { seed, process, offered, hasReceipts, clockOffsetUs }: ClientRun,
  tell: (record: LimitRecord) => void,
  pass: (token: Token) => void,
): Client {
  const tokens = { own: [] as Token[], others: [] as Token[] };
  let made = 0;
  let decided = 0;
  /** In whole microseconds: one more is after the call. */
  const nowUs = (): number => machineTimeUs(clockOffsetUs);

  const call = async (at: number, cost: number): Promise<void> => {
    const subject = subjectAt(at);
    const ticket = `${process}.${made++}`;
    const startUs = nowUs();
    const told = { kind: "call", process, subject: at, ticket, cost, startUs } as const;
    let record: CallRecord;
    try {
      const { allowed, receipt, ...said } = await contender.limit(subject, cost);
      record = { ...told, ...said, endUs: nowUs() + 1, outcome: allowed ? "allowed" : "refused" };
      if (allowed) keep({ ticket, subject: at, cost, acceptedMs: startUs / 1_000, receipt });
      if (said.source !== "redis") await breathe();
    } catch (error) {
      record = { ...told, outcome: "failed", source: error instanceof Error ? error.name : "unknown" };
    }
    decided++;
    tell(record);
  };

  const keep = (token: Token): void => {
    if (made % 4 === 0) pass(token);
    else put(tokens.own, token);
  };

  const refund = async ({ from, nth, keeps }: Step & { kind: "refund" }): Promise<void> => {
    const token = tokens[from].splice(-nth, 1)[0];
    if (!token) return;
    const subject = subjectAt(token.subject);
    // Without a receipt any refund is credited: only what surely still counts may be given back, and once.
    if (!hasReceipts && Date.now() - token.acceptedMs > subject.windowMs / 2) return;
    const told = { kind: "refund", process, subject: token.subject, ticket: token.ticket, startUs: nowUs() } as const;
    try {
      const isGiven = await contender.refund(subject, token.cost, token.receipt);
      tell({ ...told, endUs: nowUs() + 1, ...(isGiven !== undefined && { isGiven }) });
    } catch {
      // Whether it took effect is unknown: without an end it is counted both ways.
      tell(told);
    }
    if (keeps && hasReceipts) put(tokens[from], token);
  };

  const reset = async (at: number): Promise<void> => {
    const told = { kind: "reset", process, subject: at, startUs: nowUs() } as const;
    try {
      await contender.reset(subjectAt(at));
      tell({ ...told, endUs: nowUs() + 1 });
    } catch {
      // As with refunds.
      tell(told);
    }
  };

  const take = async (step: Step): Promise<unknown> => {
    switch (step.kind) {
      case "pause":
        return sleep(step.ms);
      case "reset":
        return reset(step.subject);
      case "refund":
        return refund(step);
      case "calls":
        if (step.boundaryMs !== undefined) await untilBoundary(subjectAt(step.subject).windowMs, step.boundaryMs);
        return Promise.all(step.costs.map((cost) => call(step.subject, cost)));
    }
  };

  const schedules = Array.from({ length: lanes }, (_, at) =>
    createSchedule(createRandom(seed, process, at), offered, (subject) => isAwake(seed, subject, Date.now())),
  );
  const lane = async (steps: Generator<Step, never>, until: number): Promise<void> => {
    while (decided < until) await take(steps.next().value);
  };

  return {
    async run(decisions) {
      const until = decided + decisions;
      await Promise.all(schedules.map((steps) => lane(steps, until)));
    },
    take: (token) => put(tokens.others, token),
  };
}

const subjectAt = (at: number): (typeof subjects)[number] => subjects[at] as (typeof subjects)[number];

function put(tokens: Token[], token: Token): void {
  tokens.push(token);
  if (tokens.length > mostTokens) tokens.shift();
}

async function untilBoundary(windowMs: number, offMs: number): Promise<void> {
  const now = Date.now();
  const at = Math.ceil(now / windowMs) * windowMs + offMs;
  await sleep(Math.max(0, at - now));
}
