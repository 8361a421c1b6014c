import { type Command, CommandError, isTransportError, type Reply, type TransportError } from "@continuum-cache/core";
import { isRepeatableTrip, isWrite, keysIn } from "@continuum-cache/core/kit";
import type { Call } from "../calls.ts";
import type { Endpoint } from "../request/endpoint.ts";
import { type Outcome, outcomesOf } from "../request/rest-reply.ts";
import { nowUnknown } from "../rest-error.ts";
import { planTrip, type TripRequest, type TripRules } from "./trip-plan.ts";

/**
 * Sends commands in as few requests as can carry them, one after the other, and reads their replies.
 *
 * What is too large does not fail its neighbors: a request that is refused for its size travels in halves, where
 * nothing of it has run or may run twice, and so does an MGET whose values are too large to come back together. A
 * command that is too large by itself is refused alone, in its place. Nothing of an atomic trip is sent in parts.
 *
 * @throws TransportError when no answer came, or every command is too large; `delivery` is `"none"` only if nothing
 *   has run.
 */
export function sendTrip(requests: readonly TripRequest[], parts: TripParts): Promise<Reply[]> {
  const [only] = requests;
  return requests.length === 1 && only ? sendRequest(only, parts) : sendRequests(requests, parts);
}

/** Almost every trip is one request, whose replies are all in place. */
function sendRequest(request: TripRequest, parts: TripParts): Promise<Reply[]> {
  return parts.endpoint.post(request.post, parts.call).then(
    (answer) => {
      const outcomes = outcomesOf(answer, request.form, request.commands);
      return outcomes.some(isTooLarge) ? finished(outcomesOfAnswer(outcomes, request, parts)) : (outcomes as Reply[]);
    },
    (error: unknown) => finished(outcomesOfFailure(error, request, parts)),
  );
}

const sendRequests = (requests: readonly TripRequest[], parts: TripParts): Promise<Reply[]> =>
  finished(outcomesOfRequests(requests, parts));

async function finished(pending: Promise<Outcome[]>): Promise<Reply[]> {
  const outcomes = await pending;
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

async function outcomesOfRequests(requests: readonly TripRequest[], parts: TripParts): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const request of requests) {
    try {
      outcomes.push(...(await outcomesOfRequest(request, parts)));
    } catch (error) {
      throw outcomes.length > 0 && isTransportError(error) ? nowUnknown(error) : error;
    }
  }
  return outcomes;
}

async function outcomesOfRequest(request: TripRequest, parts: TripParts): Promise<Outcome[]> {
  let outcomes: Outcome[];
  try {
    outcomes = outcomesOf(await parts.endpoint.post(request.post, parts.call), request.form, request.commands);
  } catch (error) {
    return outcomesOfFailure(error, request, parts);
  }
  return outcomesOfAnswer(outcomes, request, parts);
}

/**
 * What a request was too large for travels again in halves, where that does no harm.
 *
 * @throws Whatever else went wrong.
 */
async function outcomesOfFailure(error: unknown, request: TripRequest, parts: TripParts): Promise<Outcome[]> {
  const { commands } = request;
  if (!isTooLarge(error) || parts.rules.atomic) throw error;
  if (commands.length === 1) return outcomesOfAnswer([error], request, parts);
  if (error.delivery === "unknown" && !isRepeatableTrip(commands)) throw error;
  const middle = Math.ceil(commands.length / 2);
  return sendAgain([commands.slice(0, middle), commands.slice(middle)], parts);
}

async function outcomesOfAnswer(
  outcomes: readonly Outcome[],
  request: TripRequest,
  parts: TripParts,
): Promise<Outcome[]> {
  if (parts.rules.atomic) return [...outcomes];
  return withSplitReads(request.commands, outcomes, (reads) => sendAgain([reads], parts));
}

const sendAgain = (lists: readonly (readonly Command[])[], parts: TripParts): Promise<Outcome[]> =>
  outcomesOfRequests(
    lists.flatMap((each) => planTrip(each, parts.rules)),
    parts,
  );

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
  outcome instanceof Error && isTransportError(outcome) && outcome.kind === "too-large";
