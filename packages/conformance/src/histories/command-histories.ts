import { type Command, isCommandError, type Reply, type Transport } from "@continuum-cache/core";
import fc from "fast-check";
import { show } from "../expect/expect-reply.ts";
import { anyOf } from "./any-command.ts";
import { differenceBetween } from "./comparable.ts";

/** One trip of a history. */
export interface HistoryTrip {
  readonly atomic: boolean;
  readonly commands: readonly Command[];
}

/** What is compared, and how much of it. */
export interface CompareHistoriesOptions {
  /** The two transports. Both databases are emptied before every history. */
  readonly left: Transport;
  readonly right: Transport;
  /** How many histories; one holds some 50 commands. @default 250 */
  readonly runs?: number;
  /** Repeats the histories of an earlier run, which a failure names. @default a random one */
  readonly seed?: number;
  /** Whether histories hold bytes that are no text, anywhere in a trip. @default true */
  readonly withBytes?: boolean;
  /** Which commands are drawn, by upper-case name. @default all there are */
  readonly only?: (name: string) => boolean;
}

/** How much was compared. */
export interface ComparedHistories {
  readonly histories: number;
  readonly commands: number;
  readonly seed: number;
  /** How often each command was compared, by upper-case name. */
  readonly byName: Readonly<Record<string, number>>;
}

/**
 * Random histories over few keys: strings, counters, expiry, hashes, lists, streams and key commands, with right and
 * wrong arguments, as plain and as atomic trips. Nothing in them expires by chance.
 */
export function commandHistories({
  withBytes = true,
  only = () => true,
}: Pick<CompareHistoriesOptions, "withBytes" | "only"> = {}): fc.Arbitrary<HistoryTrip[]> {
  const command = anyOf({ withBytes, only });
  const trip = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ atomic: fc.constant(false), commands: fc.array(command, { maxLength: 60, size: "max" }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        atomic: fc.constant(true),
        commands: fc.array(command, { minLength: 1, maxLength: 8, size: "max" }),
      }),
    },
  );
  return fc.array(trip, { minLength: 1, maxLength: 4, size: "max" });
}

/**
 * Runs the same random histories on two transports and compares every reply: the way to tell that a backend answers as
 * Redis does.
 *
 * @throws Error that shows the shortest history found on which the two differ, the command, both replies, and the seed.
 *
 * @example
 * ```ts
 * import { compareHistories } from "@continuum-cache/conformance";
 * import type { Transport } from "@continuum-cache/core";
 *
 * declare const mine: Transport;
 * declare const redis: Transport;
 *
 * const { commands } = await compareHistories({ left: mine, right: redis, runs: 300 });
 * console.log(`${commands} commands, no difference`);
 * ```
 */
export async function compareHistories(options: CompareHistoriesOptions): Promise<ComparedHistories> {
  const {
    left,
    right,
    runs = 250,
    seed = Math.floor(Math.random() * 2 ** 31),
    withBytes = true,
    only = () => true,
  } = options;
  const byName: Record<string, number> = {};
  let histories = 0;
  let commands = 0;
  const property = fc.asyncProperty(commandHistories({ withBytes, only }), async (history) => {
    await Promise.all([left, right].map((transport) => transport.send([["FLUSHALL"]])));
    for (const trip of history) await compareTrip(trip, left, right);
    histories++;
    for (const [name] of history.flatMap((trip) => trip.commands)) {
      const upper = name.toUpperCase();
      byName[upper] = (byName[upper] ?? 0) + 1;
      commands++;
    }
  });
  const details = await fc.check(property, { numRuns: runs, seed });
  if (!details.failed) return { histories, commands, seed, byName };
  const [history = []] = details.counterexample ?? [];
  const cause = details.errorInstance;
  throw new Error(
    [
      `The two transports differ (seed ${seed}, after ${details.numRuns} histories, ${details.numShrinks} shrinks).`,
      ...history.map(
        (trip) =>
          `${trip.atomic ? "atomic trip" : "trip"}:\n${trip.commands.map((one) => `  ${show(one)}`).join("\n")}`,
      ),
      `Difference: ${cause instanceof Error ? cause.message : String(cause)}`,
    ].join("\n"),
    { cause },
  );
}

async function compareTrip({ atomic, commands }: HistoryTrip, left: Transport, right: Transport): Promise<void> {
  const [lefts, rights] = await Promise.all([left, right].map((transport) => transport.send(commands, { atomic })));
  if (lefts?.length !== commands.length || rights?.length !== commands.length) {
    throw new Error(
      `expected ${commands.length} replies, got ${lefts?.length} on the left and ${rights?.length} on the right`,
    );
  }
  // A discarded transaction is refused as a whole. Transports may put the error texts in different places.
  if (atomic && isRefused(lefts) && isRefused(rights)) return;
  for (const [index, command] of commands.entries()) {
    const difference = differenceBetween(command, lefts[index] as Reply, rights[index] as Reply);
    if (difference !== undefined) throw new Error(difference);
  }
}

const isRefused = (replies: readonly Reply[]): boolean => replies.every(isCommandError);
