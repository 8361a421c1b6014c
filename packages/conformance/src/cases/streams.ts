import { errorWith, facts } from "../expect/expect-reply.ts";
import { exchange, type TransportCase } from "./transport-case.ts";

/** Streams: logs of entries by rising id. */
export const streamCases: readonly TransportCase[] = [
  exchange("XADD numbers entries by rising ids, and XLEN counts them", (key) => [
    [["XADD", key("x"), "5-1", "a", "1"], "5-1"],
    [["XADD", key("x"), "5-*", "a", "2"], "5-2"],
    [["XADD", key("x"), "7-*", "a", "3"], "7-0"],
    [["XADD", key("x"), "5-9", "a", "4"], errorWith("ERR", /equal or smaller than the target stream top item/)],
    [["XADD", key("x"), "nonsense", "a", "4"], errorWith("ERR", /Invalid stream ID/)],
    [["XADD", key("none"), "NOMKSTREAM", "1-1", "a", "1"], null],
    [["XLEN", key("x")], 3],
    [["XLEN", key("none")], 0],
    [["TYPE", key("x")], "stream"],
  ]),
  exchange("XRANGE and XREVRANGE read between ids, from either end", (key) => [
    [["XADD", key("x"), "1-1", "field", "välue", "other", ""], "1-1"],
    [["XADD", key("x"), "2-1", "a", "2"], "2-1"],
    [["XADD", key("x"), "3-1", "a", "3"], "3-1"],
    [["XRANGE", key("x"), "-", "(2-1"], [["1-1", ["field", "välue", "other", ""]]]],
    [["XRANGE", key("x"), "2", "+", "COUNT", 1], [["2-1", ["a", "2"]]]],
    [
      ["XREVRANGE", key("x"), "+", "-", "COUNT", 2],
      [
        ["3-1", ["a", "3"]],
        ["2-1", ["a", "2"]],
      ],
    ],
    [["XRANGE", key("none"), "-", "+"], []],
  ]),
  exchange("XDEL and XTRIM take entries away, and what is left empty remembers its last id", (key) => [
    [["XADD", key("x"), "1-1", "a", "1"], "1-1"],
    [["XADD", key("x"), "2-1", "a", "2"], "2-1"],
    [["XADD", key("x"), "MAXLEN", 2, "3-1", "a", "3"], "3-1"],
    [["XDEL", key("x"), "2-1", "9-9"], 1],
    [["XTRIM", key("x"), "MINID", "3-2"], 1],
    [["XLEN", key("x")], 0],
    [["EXISTS", key("x")], 1],
    [["XADD", key("x"), "3-1", "a", "4"], errorWith("ERR", /equal or smaller/)],
  ]),
  exchange("XREAD gives what comes after an id, of several streams at once", (key) => [
    [["XADD", key("x"), "1-1", "a", "1"], "1-1"],
    [["XADD", key("x"), "2-1", "a", "välue"], "2-1"],
    [["XADD", key("y"), "5-1", "b", "2"], "5-1"],
    [
      ["XREAD", "STREAMS", key("x"), key("none"), key("y"), "1-1", "0", "0"],
      [
        [key("x"), [["2-1", ["a", "välue"]]]],
        [key("y"), [["5-1", ["b", "2"]]]],
      ],
    ],
    [["XREAD", "COUNT", 1, "STREAMS", key("x"), "0"], [[key("x"), [["1-1", ["a", "1"]]]]]],
    [["XREAD", "STREAMS", key("x"), key("y"), "2-1", "$"], null],
    [["XREAD", "STREAMS", key("x"), key("y"), "0"], errorWith("ERR", /Unbalanced/)],
  ]),
  exchange("XINFO STREAM tells what a stream holds and remembers", (key) => [
    [["XADD", key("x"), "1-1", "a", "1"], "1-1"],
    [["XADD", key("x"), "2-1", "a", "2"], "2-1"],
    [["XADD", key("x"), "3-1", "a", "3"], "3-1"],
    [["XDEL", key("x"), "2-1"], 1],
    [
      ["XINFO", "STREAM", key("x")],
      facts({
        length: 2,
        "last-generated-id": "3-1",
        "max-deleted-entry-id": "2-1",
        "entries-added": 3,
        groups: 0,
        "first-entry": ["1-1", ["a", "1"]],
        "last-entry": ["3-1", ["a", "3"]],
      }),
    ],
    [["XINFO", "STREAM", key("none")], errorWith("ERR", /no such key/)],
    // Upstash lacks the command. Random histories compare it on other backends.
    [["XSETID", key("none"), "1-0"], errorWith("ERR", /no such key|not available/)],
  ]),
];
