import { isCodecError, json } from "@continuum-cache/core";
import { combineCodecs } from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";
import { describe } from "vitest";
import { type Draw, fuzz } from "../../pubsub/test/fuzzed.ts";
import { readCacheChange } from "../src/federation/cache-change.ts";
import { readTimestamp } from "../src/federation/hybrid-timestamp.ts";
import { readAppendAnswer } from "../src/log/append-script.ts";
import { createCursors } from "../src/log/cursors.ts";
import { gapAtEnd, gapBefore, startOf } from "../src/log/reader.ts";
import { readRegistry } from "../src/log/registry.ts";
import { decodeEvent, parseId, readStreamInfo } from "../src/log/stream.ts";
import { readMaintenanceResult } from "../src/queue/maintenance-script.ts";
import {
  entryMs,
  isLater,
  readFields,
  type StreamEntry,
  unpackDelayed,
  writeFields,
} from "../src/queue/message-fields.ts";
import { readNotification } from "../src/queue/queue-notifier.ts";
import { isAfterId } from "../src/relay/scripts.ts";
import { readNotifications } from "../src/shared/notifier.ts";

// Whatever arrives: each parser answers, or throws the error that it says, in time and memory that its input bounds.

const parts = [
  ":",
  "w",
  "d",
  "t",
  "-",
  "\n",
  "[",
  '"',
  "{",
  "null",
  "=",
  "me",
  " ",
  "1e999",
  "NaN",
  "inf",
  "-inf",
  "]",
  ",",
];
const letters = ["i", "e", "f", "c", "t", "w", "p", "r", "d", "__proto__", "constructor"];

const assert = (isSo: boolean, what: string): void => {
  if (!isSo) throw new Error(what);
};
const isCount = (word: string): boolean => /^\d{1,15}$/.test(word);

const entryOf = (draw: Draw): StreamEntry => [
  draw.id(),
  draw.below(10) === 0 ? null : draw.list(16, () => draw.of([...letters, draw.digits(), draw.anything(parts)])),
];

describe("a queue", () => {
  fuzz("an entry", entryOf, (found) => {
    const { i, e, f, c, t, w, ...others } = readFields(found);
    assert(typeof i === "string" && typeof e === "string", "no texts");
    assert([f, c, t, w ?? "0"].every(isCount), "no counts");
    assert(writeFields({ i, e, f, c, t, w, ...others }).length % 2 === 0, "half a field");
  });
  fuzz(
    "a delayed message",
    (draw) => [draw.list(9, () => draw.text(parts)).join("\n"), draw.of([draw.digits(), ...parts])] as const,
    ([member, due]) => {
      const read = unpackDelayed(member, due);
      assert(!read || [read.f, read.c, read.t].every(isCount), "no counts");
    },
  );
  fuzz(
    "a note",
    (draw) => draw.text(parts),
    (note) => {
      const read = readNotification(note);
      assert(read?.kind !== "delayed" || Number.isFinite(read.inMs), "no time");
    },
  );
  fuzz(
    "a notification",
    (draw) => draw.anything(parts),
    (data) =>
      assert(
        readNotifications(data).every((note) => typeof note === "string"),
        "no notes",
      ),
  );
  fuzz(
    "what a tending answers",
    (draw) => [
      draw.digits(),
      1,
      0,
      draw.of([draw.digits(), ...parts]),
      2,
      draw.list(3, draw.id),
      draw.list(3, draw.id),
    ],
    (answer) => {
      const { nextDueInMs } = readMaintenanceResult(answer);
      assert(nextDueInMs === undefined || !Number.isNaN(nextDueInMs), "no time");
    },
  );
  fuzz(
    "an entry's id",
    (draw) => [draw.id(), draw.id()] as const,
    ([one, other]) => assert(typeof isLater(one, other) === "boolean" && typeof entryMs(one) === "number", "no order"),
  );
});

describe("a log", () => {
  const codec = combineCodecs([msgpack(), json()]);
  fuzz("an event", entryOf, (found) => {
    try {
      decodeEvent(codec, found);
    } catch (error) {
      if (!isCodecError(error)) throw error;
    }
  });
  fuzz(
    "an id",
    (draw) => [draw.of([draw.id(), draw.text(parts)]), draw.id()] as const,
    ([one, other]) => {
      const [before, after] = [parseId(one), parseId(other)];
      assert(!before || (Number.isSafeInteger(before.atMs) && Number.isSafeInteger(before.seq)), "not exact");
      if (before && after) gapBefore({ origin: "a", key: "k", id: before }, after);
      assert(typeof isAfterId(one, other) === "boolean", "no order");
    },
  );
  const names = ["length", "last-generated-id", "first-entry", "last-entry", "x"];
  fuzz(
    "what is known of a stream",
    (draw) =>
      [
        draw.list(6, () => [draw.of(names), draw.of([draw.id(), entryOf(draw), draw.digits()])]).flat(1),
        draw.id(),
      ] as const,
    ([words, at]) => {
      const read = readStreamInfo(words as never);
      assert(Number.isSafeInteger(read.last.atMs), "not exact");
      startOf(read, "beginning");
      gapAtEnd({ origin: "a", key: "k", id: parseId(at) ?? read.last }, read);
    },
  );
  fuzz(
    "the registry",
    (draw) => draw.list(8, () => draw.of([draw.text(parts), `me ${draw.digits()} ${draw.digits()} ${draw.id()}`])),
    (words) => {
      for (const { holder, last } of readRegistry(words).values()) {
        assert(typeof holder === "string" && Number.isSafeInteger(last.seq), "not exact");
      }
    },
  );
  fuzz(
    "cursors",
    (draw) => draw.list(8, () => draw.of([draw.text(parts), draw.id()])),
    (words) => {
      const cursors = createCursors({} as never, "k", () => {});
      cursors.load(words);
      for (const origin of cursors.origins) assert(Number.isSafeInteger(cursors.get(origin)?.atMs), "not exact");
    },
  );
  fuzz(
    "what an append answers",
    (draw) => [draw.of(["appended", "lost", "behind", "x"]), draw.id(), draw.digits()],
    (answer) => assert(["appended", "lost", "behind", "blocked"].includes(readAppendAnswer(answer).kind), "no answer"),
  );
});

describe("a federation", () => {
  const changeOf = (draw: Draw): unknown => ({
    type: draw.of(["fed.delete", "fed.invalidate", "fed.set", draw.text(parts)]),
    keys: draw.of<unknown>([draw.list(4, () => draw.text(parts)), draw.text(parts), [5]]),
    globs: draw.of<unknown>([draw.list(4, () => draw.text(parts)), undefined, [""]]),
    key: draw.of<unknown>([draw.text(parts), 5]),
    value: draw.of<unknown>([draw.text(parts), 5]),
    at: draw.of<unknown>([draw.below(1e15), -1, Number.NaN, draw.list(4, () => draw.below(9)), undefined]),
    endMs: draw.of<unknown>([draw.below(1e15), 0.5, undefined]),
  });
  fuzz(
    "a change",
    (draw) => (draw.below(4) === 0 ? draw.reply(parts) : changeOf(draw)),
    (event) => {
      const { type } = readCacheChange(event) ?? { type: "fed.set" };
      assert(["fed.delete", "fed.invalidate", "fed.set"].includes(type), "no change");
    },
  );
  fuzz(
    "a stamp",
    (draw) => draw.anything(parts),
    (stamp) => assert(typeof readTimestamp(stamp).at === "number", "no stamp"),
  );
});
