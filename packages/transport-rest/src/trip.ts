import {
  type Command,
  CommandError,
  isRepeatableTrip,
  isTransportError,
  isWrite,
  keysIn,
  type Reply,
  type TransportError,
} from "@continuum-cache/core";
import type { Call } from "./calls.ts";
import type { Endpoint } from "./endpoint.ts";
import { nowUnknown } from "./rest-error.ts";
import { type Outcome, outcomesOf } from "./rest-reply.ts";
import { type Leg, planTrip, type TripRules } from "./trip-plan.ts";

/**
 * Sends commands in as few requests as can carry them, one after the other, and reads their replies.
 *
 * What is too large does not fail its neighbors: a request that is refused for its size travels in halves, where nothing of
 * it has run or may run twice, and so does an MGET whose values are too large to come back together. A command that is too
 * large by itself is refused alone, in its place. Nothing of an atomic trip is sent in parts.
 *
 * @throws TransportError when no answer came, or every command is too large; `delivery` is `"none"` only if nothing has run.
 */
export async function sendTrip(legs: readonly Leg[], parts: TripParts): Promise<Reply[]> {
  const outcomes = await outcomesOfLegs(legs, parts);
  const [first] = outcomes;
  if (isTransportError(first) && outcomes.every(isTransportError)) throw first;
  return outcomes.map(inItsPlace);
}

/** What is too large, as a refusal among the replies of others. */
function inItsPlace(outcome: Outcome): Reply {
  if (!isTransportError(outcome)) return outcome;
  const { message } = outcome;
  return new CommandError(
    /max request size exceeded/i.test(message) ? message : `ERR max request size exceeded: ${message}`,
  );
}

/** What a trip needs of its transport. */
export interface TripParts {
  readonly endpoint: Endpoint;
  readonly call: Call;
  readonly rules: TripRules;
}

async function outcomesOfLegs(legs: readonly Leg[], parts: TripParts): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const leg of legs) {
    try {
      outcomes.push(...(await outcomesOfLeg(leg, parts)));
    } catch (error) {
      throw outcomes.length > 0 && isTransportError(error) ? nowUnknown(error) : error;
    }
  }
  return outcomes;
}

async function outcomesOfLeg(leg: Leg, parts: TripParts): Promise<Outcome[]> {
  const { commands, form, post } = leg;
  const { endpoint, call, rules } = parts;
  const again = (...some: (readonly Command[])[]): Promise<Outcome[]> =>
    outcomesOfLegs(
      some.flatMap((each) => planTrip(each, rules)),
      parts,
    );
  let outcomes: Outcome[];
  try {
    outcomes = outcomesOf(await endpoint.post(post, call), form, commands);
  } catch (error) {
    if (!isTooLarge(error) || rules.atomic) throw error;
    if (commands.length > 1) {
      if (error.delivery === "unknown" && !isRepeatableTrip(commands)) throw error;
      const middle = Math.ceil(commands.length / 2);
      return again(commands.slice(0, middle), commands.slice(middle));
    }
    outcomes = [error];
  }
  return rules.atomic ? outcomes : withSplitReads(commands, outcomes, again);
}

/** Reads again, in halves, what is too large to come back in one reply. */
async function withSplitReads(
  commands: readonly Command[],
  outcomes: readonly Outcome[],
  again: (reads: readonly Command[]) => Promise<Outcome[]>,
): Promise<Outcome[]> {
  const splits = outcomes.map((outcome, index) => {
    const command = commands[index];
    if (!command || !isTooLarge(outcome) || command.length <= 2 || command[0].toUpperCase() !== "MGET")
      return undefined;
    const [name, ...keys] = command;
    // What the trip itself has written since would be read in its new state.
    const written = keysIn(commands.slice(index + 1).filter(isWrite));
    const isClean = keys.map((key) => !written.has(String(key)));
    const clean = keys.filter((_, at) => isClean[at]);
    const middle = Math.ceil(clean.length / 2);
    const halves = [clean.slice(0, middle), clean.slice(middle)].filter((half) => half.length > 0);
    return { error: outcome, isClean, reads: halves.map((half): Command => [name, ...half]) };
  });
  const reads = splits.flatMap((split) => split?.reads ?? []);
  if (reads.length === 0) return [...outcomes];

  const found = await again(reads).catch((error: unknown) => {
    throw isTransportError(error) ? nowUnknown(error) : error;
  });
  const answers = found.values();
  return outcomes.map((outcome, index) => {
    const split = splits[index];
    if (!split) return outcome;
    const { error, isClean, reads: own } = split;
    const values = own.flatMap((read) => elementsOf(read, answers.next().value ?? error)).values();
    const elements = isClean.map((clean): Outcome => (clean ? (values.next().value ?? null) : error));
    return elements.every(isTransportError) ? error : elements.map(inItsPlace);
  });
}

/** One outcome for each key of an MGET. */
function elementsOf([, ...keys]: Command, outcome: Outcome): Outcome[] {
  return Array.isArray(outcome) ? [...outcome] : keys.map(() => outcome);
}

const isTooLarge = (outcome: unknown): outcome is TransportError =>
  isTransportError(outcome) && outcome.kind === "too-large";
