import { createRandom, type Random } from "@continuum-cache/conformance/servers";
import { type FaultStep, type FaultWeights, planFaults } from "../faults/fault-plan.ts";
import { fillerChannel } from "../faults/run-faults.ts";
import type { Way } from "../site/address.ts";
import type { Durability } from "../site/servers.ts";
import type { ContenderName } from "./clients/catalog.ts";
import type { Keeping } from "./clients/contender.ts";
import type { LaneTask, SubscriptionTask } from "./tasks.ts";

/** What a history is drawn from. */
export interface PlanOptions {
  readonly seed: number;
  readonly way: Way;
  readonly contender: ContenderName;
  /** How long there are faults, and how long one lasts at most. */
  readonly faultsMs: number;
  readonly longestFaultMs: number;
}

/** One process that listens. */
export interface SubscriberPlan {
  readonly process: string;
  /** Past the proxies: it is hurt by its own slowness only. */
  readonly isDirect: boolean;
  readonly subscriptions: readonly SubscriptionTask[];
}

/** What happens in one history: one seed, one plan. */
export interface Plan extends PlanOptions {
  readonly durability: Durability;
  readonly hasFallback: boolean;
  readonly publishers: readonly { readonly process: string; readonly lanes: readonly LaneTask[] }[];
  readonly subscribers: readonly SubscriberPlan[];
  readonly faults: readonly FaultStep[];
}

const onAnyWay: FaultWeights = {
  "kill subscriber connections": 6,
  "kill all connections": 3,
  "freeze server": 4,
  "restart server": 4,
  flush: 1,
  "cut b": 5,
  "cut a": 3,
  "blackhole b": 4,
  "blackhole a": 2,
  "lose replies b": 3,
  "lose requests b": 2,
  delay: 2,
  trickle: 1,
  "freeze process": 4,
  "overflow process": 2,
  "kill process": 4,
};
const onRest: FaultWeights = {
  "end streams": 4,
  "truncate streams": 5,
  "mute streams": 4,
  "cut mid-line": 4,
  "gateway refuses": 2,
  "gateway hangs": 2,
  "gateway fails": 2,
  "gateway loses replies": 2,
};

const names = { plain: "news:plain", odd: "news:50 %,\nn/o?#", kept: "kept:orders", trimmed: "kept:a,b" } as const;
const channels = Object.values(names);

export function drawPlan(options: PlanOptions): Plan {
  const { seed, contender, way } = options;
  const random = createRandom(seed, 1);
  const isOurs = contender === "ours";
  const kept: Record<string, Keeping> = isOurs
    ? {
        [names.kept]: { count: 100_000, ageMs: 3_600_000 },
        [names.trimmed]: { count: random.between(5, 40), ageMs: 3_600_000 },
      }
    : {};
  const heard = isOurs ? channels : [names.plain];
  const lanes = heard.flatMap((channel, at) =>
    ["p", "q"].map((letter): LaneTask => {
      const replay = kept[channel];
      return { publisher: `${letter}${at}`, channel, jitterMs: random.between(4, 20), ...(replay && { replay }) };
    }),
  );
  const ofLetter = (letter: string): LaneTask[] => lanes.filter(({ publisher }) => publisher.startsWith(letter));
  const subscribers = isOurs ? ourSubscribers(random, options, kept) : theirSubscribers();
  const durability = random.weighted({ always: 3, everysec: 2, torn: 2, none: 3 });
  const hasFallback = isOurs && random.chance(1 / 3);
  return {
    ...options,
    durability,
    hasFallback,
    publishers: ["p", "q"].map((letter) => ({ process: `publisher-${letter}`, lanes: ofLetter(letter) })),
    subscribers,
    faults: planFaults(createRandom(seed, 2), {
      ...options,
      weights: way === "rest" ? { ...onAnyWay, ...onRest } : onAnyWay,
      processes: Object.fromEntries(subscribers.map(({ process }) => [process, 1])),
      slowProcess: "slow",
    }),
  };
}

/** One that only listens, one whose subscriptions come and go, and one that is slow and has nothing before it. */
function ourSubscribers(
  random: Random,
  { faultsMs }: PlanOptions,
  kept: Readonly<Record<string, Keeping>>,
): SubscriberPlan[] {
  const make = (process: string, isDirect: boolean) => {
    const subscriptions: SubscriptionTask[] = [];
    const add = (name: string, isReplay: boolean, rest: Partial<SubscriptionTask> & { loopMs?: number } = {}): void => {
      const { loopMs, ...times } = rest;
      const isPattern = name.endsWith("*");
      subscriptions.push({
        subscriber: `${process}/${subscriptions.length}`,
        options: {
          kind: isPattern ? "pattern" : "channel",
          name,
          ...(isReplay && { replay: kept[name] as Keeping }),
          ...(isReplay && random.chance(0.2) && { after: "beginning" as const }),
          ...(loopMs !== undefined && { loopMs }),
        },
        channels: isPattern
          ? channels.filter((channel) => channel.startsWith(name.slice(0, -1)))
          : [name].filter((one) => one !== fillerChannel),
        openAfterMs: 0,
        ...times,
      });
    };
    return { plan: { process, isDirect, subscriptions }, add };
  };
  const steady = make("steady", false);
  for (const name of [names.plain, names.odd]) steady.add(name, false);
  for (const name of [names.kept, names.trimmed]) steady.add(name, true);
  steady.add("news:*", false);

  const changing = make("changing", false);
  changing.add(names.kept, true);
  changing.add(names.plain, false);
  for (let count = random.between(2, 6); count > 0; count--) {
    const name = random.pick([...channels, "news:*", "kept:*"]);
    const openAfterMs = random.between(50, faultsMs);
    const closeAfterMs = random.chance(0.5) ? openAfterMs + random.between(50, faultsMs) : undefined;
    changing.add(name, name in kept && random.chance(0.7), {
      openAfterMs,
      ...(closeAfterMs !== undefined && { closeAfterMs }),
    });
  }

  const slow = make("slow", true);
  slow.add(names.plain, false, { loopMs: random.pick([0, 1, 5]) });
  slow.add(names.kept, true, { loopMs: random.pick([0, 1, 5]) });
  slow.add(names.kept, true);
  slow.add(names.plain, false);
  slow.add(fillerChannel, false);
  return [steady, changing, slow].map(({ plan }) => plan);
}

/** A single channel, heard by two processes. */
function theirSubscribers(): SubscriberPlan[] {
  return ["steady", "slow"].map((process) => ({
    process,
    isDirect: process === "slow",
    subscriptions: [
      {
        subscriber: `${process}/0`,
        options: { kind: "channel", name: names.plain },
        channels: [names.plain],
        openAfterMs: 0,
      },
      {
        subscriber: `${process}/1`,
        options: { kind: "channel", name: fillerChannel },
        channels: [],
        openAfterMs: 0,
      },
    ],
  }));
}
