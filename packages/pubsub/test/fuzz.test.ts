import { isCodecError, json } from "@continuum-cache/core";
import { combineCodecs, fromMessageText, fromWireChannel } from "@continuum-cache/core/kit";
import { msgpack } from "@continuum-cache/core/msgpack";
import { describe } from "vitest";
import { readEntries } from "../src/history/entry.ts";
import { readFrame } from "../src/history/frame.ts";
import { readClientFrame } from "../src/websocket/client-frame.ts";
import { writeMessage } from "../src/websocket/message-frame.ts";
import { type Draw, fuzz } from "./fuzzed.ts";

// Whatever arrives: each parser answers, or throws the error that it says, in time and memory that its input bounds.

const parts = [
  "~",
  "=",
  "T",
  "B",
  "0-0",
  "1-1",
  ":",
  "-",
  "tag",
  "{",
  "[",
  '"',
  "null",
  "\n",
  "%2C",
  "%",
  '"type"',
  "}",
];

const assert = (isSo: boolean, what: string): void => {
  if (!isSo) throw new Error(what);
};

function entriesOf(draw: Draw): unknown {
  if (draw.below(10) === 0) return draw.reply(parts);
  return draw.list(5, () => {
    const fields =
      draw.below(3) === 0
        ? ["t", draw.digits(), "n", draw.text(parts), "d", draw.anything(parts)]
        : draw.list(8, () => draw.of<unknown>(["t", "n", "d", "b", "1", "__proto__", draw.reply(parts)]));
    return draw.below(10) === 0 ? draw.reply(parts) : [draw.id(), fields];
  });
}

function saidBy(draw: Draw): unknown {
  if (draw.below(2) === 0) return draw.anything(parts);
  const after = draw.of<unknown>([
    undefined,
    null,
    "beginning",
    draw.text(parts),
    { epoch: draw.below(1e15), seq: draw.below(100) - 50, tag: draw.of<unknown>([undefined, 1, draw.text(parts)]) },
    { epoch: draw.digits(), seq: 1.5 },
  ]);
  return JSON.stringify({
    type: draw.of(["subscribe", "unsubscribe", "ping", draw.text(parts)]),
    channel: draw.of<unknown>(["c", 5, null, draw.text(parts)]),
    after,
  });
}

/** Data as a codec may have read it, with what JSON can't say. */
function dataOf(draw: Draw, depth = 0): unknown {
  const kind = draw.below(depth > 4 ? 7 : 10);
  if (kind < 4)
    return draw.of<unknown>([1n, undefined, Number.NaN, new Date(Number.NaN), Symbol("s"), () => {}, null, true]);
  if (kind < 7) return draw.anything(parts);
  if (kind === 7) return new Map([[1, 2]]);
  if (kind === 8) return draw.list(3, () => dataOf(draw, depth + 1));
  return { [draw.text(parts)]: dataOf(draw, depth + 1) };
}

describe("pubsub", () => {
  const codec = combineCodecs([msgpack(), json()]);
  fuzz(
    "the frame of a replay channel",
    (draw) => draw.anything(parts),
    (data) => {
      const { position } = readFrame({ channel: "fuzzed", data }) ?? {};
      const isExact = !position || (Number.isSafeInteger(position.epoch) && Number.isSafeInteger(position.seq));
      assert(isExact, "the place is not exact");
    },
  );
  fuzz(
    "the text of a message",
    (draw) => draw.anything(parts),
    (data) => {
      try {
        codec.decode(fromMessageText(data));
      } catch (error) {
        if (!isCodecError(error)) throw error;
      }
    },
  );
  fuzz(
    "the name of a channel",
    (draw) => draw.text(parts),
    (name) => assert(typeof fromWireChannel(name) === "string", "no name"),
  );
  fuzz("the entries of a history", entriesOf, (found) => {
    const { entries, foreign, length } = readEntries(found as never);
    assert(entries.length + foreign.length <= length, "more than there are");
    for (const { position, publishedAtMs, text } of entries) {
      assert(
        Number.isSafeInteger(position.epoch) && Number.isFinite(publishedAtMs),
        "the place or the time is not exact",
      );
      assert(typeof text === "string" || text instanceof Uint8Array, "no text");
    }
  });
  fuzz("what a WebSocket client says", saidBy, (data) => {
    const read = readClientFrame(data, 16_384);
    if ("frame" in read && "channel" in read.frame) assert(typeof read.frame.channel === "string", "no channel");
  });
  fuzz("a message on its way to a WebSocket client", dataOf, (data) => {
    const { text, bytes } = writeMessage({ channel: "c", data }, 4_096);
    assert(bytes <= 4_096, "too long");
    assert(["message", "gap"].includes(JSON.parse(text).type), "neither a message nor a gap");
  });
});
