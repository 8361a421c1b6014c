import type { ScheduleKind } from "./fault-plan.ts";
import type { Variant } from "./history.ts";

/** What kind of history to run. */
export interface HistoryVariant extends Variant {
  readonly schedule: ScheduleKind;
}

/** Histories to run at once. */
export interface AgendaItem {
  readonly variant: HistoryVariant;
  readonly seeds: readonly number[];
}

/**
 * What is to be run, in turn: the same seed always stands for the same kind of history. Those whose server is hurt come
 * several at once, since they share it (`shared`); the others one by one (`single`).
 */
export interface Agenda {
  /** @returns undefined when nothing of it is left. */
  next(which: "shared" | "single"): AgendaItem | undefined;
}

export interface AgendaOptions {
  readonly seed: number;
  readonly count: number;
  readonly variants: readonly HistoryVariant[];
  /** How many histories share a server. */
  readonly width: number;
}

export function createAgenda({ seed, count, variants, width }: AgendaOptions): Agenda {
  const waiting: Record<"shared" | "single", AgendaItem[]> = { shared: [], single: [] };
  let planned = 0;
  let rounds = 0;

  const planRound = (): void => {
    const variant = variants[rounds++ % variants.length] as HistoryVariant;
    const seeds = Array.from({ length: Math.min(width, count - planned) }, (_, at) => seed + planned + at);
    planned += seeds.length;
    if (hurtsServer(variant)) waiting.shared.push({ variant, seeds });
    else waiting.single.push(...seeds.map((each) => ({ variant, seeds: [each] })));
  };

  return {
    next(which) {
      while (waiting[which].length === 0 && planned < count) planRound();
      return waiting[which].shift();
    },
  };
}

const hurtsServer = ({ schedule, durable }: HistoryVariant): boolean =>
  !durable || ["kill", "freeze", "kill-relapse", "gateway", "failover"].includes(schedule);

/**
 * Everything that can go wrong, over every connection; what breaks most comes most often.
 *
 * @param gateways - The connections whose gateways can be made to misbehave.
 */
export function allVariants(connections: readonly string[], gateways: readonly string[]): HistoryVariant[] {
  const schedules: readonly ScheduleKind[] = [
    ...(["calm", "outage", "relapse", "partial", "kill", "relapse", "flapping", "freeze", "outage"] as const),
    ...(["kill-relapse", "relapse", "partial", "gateway", "flapping", "relapse", "kill-relapse"] as const),
    "small-journal",
    "failover",
  ];
  const durable = schedules.flatMap((schedule) =>
    connections
      .filter((connection) => schedule !== "gateway" || gateways.includes(connection))
      // A gateway's failover is its own affair.
      .filter((connection) => schedule !== "failover" || !gateways.includes(connection))
      .map((connection) => ({ connection, schedule, durable: true })),
  );
  const forgetful = connections.flatMap((connection) =>
    (["kill", "kill-relapse"] as const).map((schedule) => ({ connection, schedule, durable: false })),
  );
  return [...durable, ...forgetful];
}
