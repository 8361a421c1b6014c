import type { Way } from "../site/address.ts";
import type { ScheduleKind } from "./fault-plan.ts";
import type { Variant } from "./history.ts";

/** What kind of history to run. */
export interface HistoryVariant extends Variant {
  readonly connection: Way;
  readonly schedule: ScheduleKind;
}

/** Histories to run at once. */
export interface AgendaItem {
  /** Draws what happens to the server. */
  readonly round: number;
  readonly variant: HistoryVariant;
  readonly seeds: readonly number[];
}

/**
 * What is to be run, in turn. A seed always stands for the same kind of history, and for the same faults of its
 * server. Those whose server is hurt come several at once, since they share it (`shared`); the others one by one
 * (`single`).
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
  const endSeed = seed + count;
  let nextSeed = seed;

  const planRound = (): void => {
    const round = Math.floor(nextSeed / width);
    const variant = variants[round % variants.length] as HistoryVariant;
    const length = Math.min((round + 1) * width, endSeed) - nextSeed;
    const seeds = Array.from({ length }, (_, at) => nextSeed + at);
    nextSeed += length;
    if (hurtsServer(variant)) waiting.shared.push({ round, variant, seeds });
    else waiting.single.push(...seeds.map((each) => ({ round, variant, seeds: [each] })));
  };

  return {
    next(which) {
      while (waiting[which].length === 0 && nextSeed < endSeed) planRound();
      return waiting[which].shift();
    },
  };
}

const hurtsServer = ({ schedule, durable }: HistoryVariant): boolean =>
  !durable || ["kill", "freeze", "kill-relapse", "gateway", "failover"].includes(schedule);

/** Everything that can go wrong, on every way; what breaks most comes most often. */
export function allVariants(ways: readonly Way[]): HistoryVariant[] {
  const schedules: readonly ScheduleKind[] = [
    ...(["calm", "outage", "relapse", "partial", "kill", "relapse", "flapping", "freeze", "outage"] as const),
    ...(["kill-relapse", "relapse", "partial", "gateway", "flapping", "relapse", "kill-relapse"] as const),
    "small-journal",
    "failover",
  ];
  // A gateway stands before the server on one way only, and its failover is its own affair.
  const onlyOn: Partial<Record<ScheduleKind, Way>> = { gateway: "rest", failover: "tcp" };
  const durable = schedules.flatMap((schedule) =>
    ways
      .filter((connection) => (onlyOn[schedule] ?? connection) === connection)
      .map((connection) => ({ connection, schedule, durable: true })),
  );
  const forgetful = ways.flatMap((connection) =>
    (["kill", "kill-relapse"] as const).map((schedule) => ({ connection, schedule, durable: false })),
  );
  return [...durable, ...forgetful];
}
