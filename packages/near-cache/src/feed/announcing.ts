import { type Command, isTransportError, type Reply } from "@continuum-cache/core";
import { compileGlob, type Dispatch, isWrite, keysOf, type ReplyHandler, RoundTrip } from "@continuum-cache/core/kit";
import { lookCommand } from "./cursor.ts";
import type { Feed } from "./feed.ts";
import { announcement, type Invalidation } from "./record.ts";

/**
 * The way to the server with announcements: a trip that writes what near caches may hold becomes one transaction with
 * its announcement, and a trip that only reads takes a look along where one is due.
 */
export function announcing(feed: Feed, inner: Dispatch): Dispatch {
  return (trip, handler) => {
    if (!trip.options.announce || feed.followers.length === 0) return inner(trip, handler);
    const invalidations = trip.writes ? invalidationsOf(trip, feed) : [];
    if (invalidations.length > 0) sendAnnounced(feed, inner, trip, invalidations, handler);
    else if (!trip.writes && feed.isDue) sendWithLook(feed, inner, trip, handler);
    else inner(trip, handler);
  };
}

/** What a trip changes of what near caches may hold. */
function invalidationsOf({ commands, options }: RoundTrip, feed: Feed): Invalidation[] {
  const globs = (options.invalidates ?? []).map((glob) => ({ glob, matches: compileGlob(glob), isUsed: false }));
  const keys = new Set<string>();
  for (const command of commands) {
    if (!isWrite(command)) continue;
    const own = keysOf(command);
    if (own === "database") return [{ kind: "glob", glob: "*" }];
    for (const key of own) {
      if (!feed.mayHold(key)) continue;
      const glob = globs.find(({ matches }) => matches(key));
      if (glob) glob.isUsed = true;
      else keys.add(key);
    }
  }
  return [
    ...globs.filter(({ isUsed }) => isUsed).map(({ glob }): Invalidation => ({ kind: "glob", glob })),
    ...[...keys].map((key): Invalidation => ({ kind: "key", key })),
  ];
}

/**
 * One transaction: a process that ends between the two would leave an old value in the other processes, and an
 * announcement that comes first is seen before the value has changed.
 */
function sendAnnounced(
  feed: Feed,
  inner: Dispatch,
  trip: RoundTrip,
  invalidations: readonly Invalidation[],
  handler: ReplyHandler,
): void {
  feed.countCommands(1);
  const commands = [...trip.commands, announcement(invalidations)];
  inner(another(trip, commands, true), {
    answered(replies) {
      const id = replies.at(-1);
      if (typeof id === "string") feed.announced(id);
      handler.answered(replies.slice(0, -1));
    },
    failed(error) {
      const halves = isTooLarge(error) && !trip.options.atomic ? halvesOf(trip) : undefined;
      if (halves) sendInTurn(announcing(feed, inner), halves, handler);
      else handler.failed(error);
    },
  });
}

const isTooLarge = (error: unknown): boolean =>
  isTransportError(error) && error.kind === "too-large" && error.delivery === "none";

function halvesOf(trip: RoundTrip): readonly [RoundTrip, RoundTrip] | undefined {
  const { commands } = trip;
  if (commands.length < 2) return undefined;
  const middle = commands.length >> 1;
  return [another(trip, commands.slice(0, middle), false), another(trip, commands.slice(middle), false)];
}

/** Sends two trips one after the other as if they were one. */
function sendInTurn(dispatch: Dispatch, [first, second]: readonly [RoundTrip, RoundTrip], handler: ReplyHandler): void {
  const failed = (error: unknown): void => handler.failed(error);
  dispatch(first, {
    answered: (replies) =>
      dispatch(second, { answered: (others) => handler.answered([...replies, ...others]), failed }),
    failed,
  });
}

function sendWithLook(feed: Feed, inner: Dispatch, trip: RoundTrip, handler: ReplyHandler): void {
  // A look that writes, or would have too little time, travels by itself.
  if (feed.isEmpty || trip.options.atomic || trip.leftMs < feed.timeoutMs / 2) {
    void feed.look({});
    inner(trip, handler);
    return;
  }
  const look = feed.begin(trip.leftMs);
  inner(another(trip, [lookCommand(look.cursor), ...trip.commands], false), {
    answered([reply, ...replies]: Reply[]) {
      feed.seen(look, reply);
      handler.answered(replies);
    },
    failed(error) {
      feed.failed(look, error);
      handler.failed(error);
    },
  });
}

/** The same trip with other commands. */
function another(trip: RoundTrip, commands: readonly Command[], atomic: boolean): RoundTrip {
  const options = atomic ? { ...trip.options, atomic } : trip.options;
  const own = new RoundTrip(commands, options, trip.leftMs);
  const { deadlineMs, fallbackAnswer, ledger, number } = trip;
  return Object.assign(own, { deadlineMs, fallbackAnswer, ledger, number });
}
