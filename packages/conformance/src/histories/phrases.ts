import type { Argument } from "@continuum-cache/core";
import fc from "fast-check";
import { consumerName, groupName, index, maybe, parts, several, streamId, streamKey, time, word } from "./arguments.ts";

export const one = <T extends Argument>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<readonly Argument[]> =>
  arbitrary.map((argument) => [argument]);
export const pairs = (left: fc.Arbitrary<Argument>, right: fc.Arbitrary<Argument>): fc.Arbitrary<Argument[]> =>
  several(fc.tuple(left, right), 1, 3).map((list) => list.flat());
export const words = (...list: readonly string[]): fc.Arbitrary<readonly Argument[]> => one(word(...list));
export const glob: fc.Arbitrary<string> = fc.constantFrom(
  "*",
  "s?",
  "l[12]",
  "?[^1]",
  "h[1-3]",
  "\\*",
  "k\\*",
  "f*",
  "?",
  "",
  "[",
);
export const count: fc.Arbitrary<Argument> = fc.constantFrom<Argument>(0, 1, 2, 3, 10, -1, "x");
export const limits: fc.Arbitrary<readonly Argument[]> = maybe(words("MATCH"), one(glob));

export const expiry: fc.Arbitrary<readonly Argument[]> = fc.oneof(
  parts(words("EX"), one(time("seconds"))),
  parts(words("PX"), one(time("milliseconds"))),
  parts(words("EXAT"), one(time("unix-seconds"))),
  parts(words("PXAT"), one(time("unix-milliseconds"))),
);
export const condition: fc.Arbitrary<readonly Argument[]> = maybe(words("NX", "XX", "GT", "LT"));

/** The options after a range: mostly valid ones, sometimes a word that the command does not know. */
export const rangeWords = (odd: fc.Arbitrary<readonly Argument[]>): fc.Arbitrary<readonly Argument[]> =>
  parts(
    maybe(words("WITHSCORES")),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<readonly Argument[]>([]) },
      { weight: 2, arbitrary: parts(words("LIMIT"), one(index), one(index)) },
      { weight: 1, arbitrary: odd },
    ),
  );

/** Exact trimming only: with `~` Redis keeps as many entries as its nodes happen to hold, which differs by server. */
export const trimming: fc.Arbitrary<readonly Argument[]> = fc.oneof(
  parts(words("MAXLEN"), maybe(words("=")), one(count)),
  parts(words("MINID"), maybe(words("=")), one(streamId)),
  words("NOMKSTREAM"),
  parts(words("LIMIT"), one(count)),
);

/** Keys, then as many ids to read from; sometimes one is missing. */
export const readFrom = (place: fc.Arbitrary<Argument>): fc.Arbitrary<readonly Argument[]> =>
  fc.oneof(
    { weight: 6, arbitrary: parts(words("STREAMS"), one(streamKey), one(place)) },
    { weight: 3, arbitrary: parts(words("STREAMS"), one(streamKey), one(streamKey), one(place), one(place)) },
    { weight: 1, arbitrary: parts(words("STREAMS"), several(fc.oneof(streamKey, place), 1, 3)) },
  );
export const orOften = (often: Argument, rest: fc.Arbitrary<Argument>): fc.Arbitrary<Argument> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(often) }, { weight: 2, arbitrary: rest });
/** Claimed entries were idle for longer than any history lasts, or not at all. */
export const claimOption: fc.Arbitrary<readonly Argument[]> = fc.oneof(
  parts(words("IDLE"), one(fc.constantFrom<Argument>(0, 100_000_000, -1, "x"))),
  parts(words("TIME"), one(fc.constantFrom<Argument>(0, 1_000, "9223372036854775807", "x"))),
  parts(words("RETRYCOUNT"), one(fc.constantFrom<Argument>(0, 1, 7, -1, "x"))),
  words("FORCE"),
  words("JUSTID"),
  parts(words("LASTID"), one(streamId)),
);
const entriesRead = parts(words("ENTRIESREAD"), one(fc.constantFrom<Argument>(0, 1, 5, -1, -2, "x")));
export const groupChange: fc.Arbitrary<readonly Argument[]> = fc.oneof(
  {
    weight: 5,
    arbitrary: parts(
      parts(words("CREATE"), one(streamKey), one(groupName), one(orOften("0", fc.oneof(fc.constant("$"), streamId)))),
      fc.oneof({ weight: 3, arbitrary: words("MKSTREAM") }, { weight: 1, arbitrary: fc.constant([]) }),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: entriesRead }),
    ),
  },
  {
    weight: 2,
    arbitrary: parts(
      parts(words("SETID"), one(streamKey), one(groupName), one(orOften("0", fc.oneof(fc.constant("$"), streamId)))),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: entriesRead }),
    ),
  },
  { weight: 1, arbitrary: parts(words("DESTROY"), one(streamKey), one(groupName)) },
  { weight: 2, arbitrary: parts(words("CREATECONSUMER"), one(streamKey), one(groupName), one(consumerName)) },
  { weight: 1, arbitrary: parts(words("DELCONSUMER"), one(streamKey), one(groupName), one(consumerName)) },
  { weight: 1, arbitrary: parts(words("bogus"), one(streamKey), one(groupName)) },
);
