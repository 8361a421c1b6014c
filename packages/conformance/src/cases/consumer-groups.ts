import { between, errorWith, facts } from "../expect/expect-reply.ts";
import { exchange, type TransportCase } from "./transport-case.ts";

/** The longest time of one case, in milliseconds: an entry that was just delivered may be idle for this long. */
const justNow = between(0, 600_000);

/** Consumers that share the entries of a stream. */
export const consumerGroupCases: readonly TransportCase[] = [
  exchange("XGROUP makes, moves and ends groups and consumers", (key) => [
    [["XGROUP", "CREATE", key("x"), "g", "$"], errorWith("ERR", /requires the key to exist/)],
    [["XGROUP", "CREATE", key("x"), "g", "$", "MKSTREAM"], "OK"],
    [["XGROUP", "CREATE", key("x"), "g", "0"], errorWith("BUSYGROUP")],
    [["TYPE", key("x")], "stream"],
    [["XADD", key("x"), "1-1", "a", "1"], "1-1"],
    [["XADD", key("x"), "2-1", "a", "2"], "2-1"],
    [["XGROUP", "CREATECONSUMER", key("x"), "g", "c"], 1],
    [["XGROUP", "CREATECONSUMER", key("x"), "g", "c"], 0],
    [["XGROUP", "SETID", key("x"), "g", "1-1"], "OK"],
    [["XREADGROUP", "GROUP", "g", "c", "STREAMS", key("x"), ">"], [[key("x"), [["2-1", ["a", "2"]]]]]],
    [["XGROUP", "DELCONSUMER", key("x"), "g", "c"], 1],
    [["XGROUP", "DESTROY", key("x"), "g"], 1],
    [["XGROUP", "DESTROY", key("x"), "g"], 0],
    [["XGROUP", "SETID", key("x"), "g", "0"], errorWith("NOGROUP")],
  ]),
  exchange("XREADGROUP gives each entry to one consumer, who has it until he acknowledges it", (key) => [
    [["XADD", key("x"), "1-1", "a", "1"], "1-1"],
    [["XADD", key("x"), "2-1", "a", "välue"], "2-1"],
    [["XADD", key("x"), "3-1", "a", "3"], "3-1"],
    [["XGROUP", "CREATE", key("x"), "g", "0"], "OK"],
    [
      ["XREADGROUP", "GROUP", "g", "one", "COUNT", 2, "STREAMS", key("x"), ">"],
      [
        [
          key("x"),
          [
            ["1-1", ["a", "1"]],
            ["2-1", ["a", "välue"]],
          ],
        ],
      ],
    ],
    [["XREADGROUP", "GROUP", "g", "two", "STREAMS", key("x"), ">"], [[key("x"), [["3-1", ["a", "3"]]]]]],
    [["XREADGROUP", "GROUP", "g", "two", "STREAMS", key("x"), ">"], null],
    [["XACK", key("x"), "g", "1-1", "9-9"], 1],
    [["XACK", key("x"), "g", "1-1"], 0],
    [["XACK", key("x"), "none", "2-1"], 0],
    [["XREADGROUP", "GROUP", "g", "one", "STREAMS", key("x"), "0"], [[key("x"), [["2-1", ["a", "välue"]]]]]],
    [
      ["XPENDING", key("x"), "g"],
      [
        2,
        "2-1",
        "3-1",
        [
          ["one", "1"],
          ["two", "1"],
        ],
      ],
    ],
    [
      ["XPENDING", key("x"), "g", "-", "+", 10],
      [
        ["2-1", "one", justNow, 2],
        ["3-1", "two", justNow, 1],
      ],
    ],
    [["XPENDING", key("x"), "g", "IDLE", 3_600_000, "-", "+", 10], []],
    [["XPENDING", key("x"), "g", "-", "+", 10, "two"], [["3-1", "two", justNow, 1]]],
    [["XREADGROUP", "GROUP", "none", "c", "STREAMS", key("x"), ">"], errorWith("NOGROUP")],
  ]),
  exchange("XREADGROUP reads several streams at once, and with NOACK nothing is pending", (key) => [
    [["XGROUP", "CREATE", key("x"), "g", "0", "MKSTREAM"], "OK"],
    [["XGROUP", "CREATE", key("y"), "g", "0", "MKSTREAM"], "OK"],
    [["XADD", key("y"), "1-1", "a", "1"], "1-1"],
    [
      ["XREADGROUP", "GROUP", "g", "c", "COUNT", 5, "NOACK", "STREAMS", key("x"), key("y"), ">", ">"],
      [[key("y"), [["1-1", ["a", "1"]]]]],
    ],
    [
      ["XPENDING", key("y"), "g"],
      [0, null, null, null],
    ],
  ]),
  exchange("XCLAIM and XAUTOCLAIM take over what others have left alone", (key) => [
    [["XADD", key("x"), "1-1", "a", "1"], "1-1"],
    [["XADD", key("x"), "2-1", "a", "2"], "2-1"],
    [["XADD", key("x"), "3-1", "a", "3"], "3-1"],
    [["XGROUP", "CREATE", key("x"), "g", "0"], "OK"],
    [
      ["XREADGROUP", "GROUP", "g", "one", "COUNT", 2, "STREAMS", key("x"), ">"],
      [
        [
          key("x"),
          [
            ["1-1", ["a", "1"]],
            ["2-1", ["a", "2"]],
          ],
        ],
      ],
    ],
    [["XCLAIM", key("x"), "g", "two", 3_600_000, "1-1"], []],
    [["XCLAIM", key("x"), "g", "two", 0, "1-1", "3-1"], [["1-1", ["a", "1"]]]],
    [["XCLAIM", key("x"), "g", "two", 0, "2-1", "JUSTID", "RETRYCOUNT", 7, "IDLE", 3_600_000], ["2-1"]],
    [["XCLAIM", key("x"), "g", "two", 0, "3-1", "FORCE", "JUSTID"], ["3-1"]],
    [
      ["XPENDING", key("x"), "g", "-", "+", 10],
      [
        ["1-1", "two", justNow, 2],
        ["2-1", "two", between(3_600_000, 4_200_000), 7],
        ["3-1", "two", justNow, 1],
      ],
    ],
    [
      ["XAUTOCLAIM", key("x"), "g", "one", 3_000_000, "0", "COUNT", 5],
      ["0-0", [["2-1", ["a", "2"]]], []],
    ],
    [["XDEL", key("x"), "1-1"], 1],
    [
      ["XAUTOCLAIM", key("x"), "g", "one", 0, "0", "COUNT", 2, "JUSTID"],
      ["3-1", ["2-1"], ["1-1"]],
    ],
    [["XCLAIM", key("x"), "none", "one", 0, "1-1"], errorWith("NOGROUP")],
  ]),
  exchange("XINFO tells of groups and consumers", (key) => [
    [["XADD", key("x"), "1-1", "a", "1"], "1-1"],
    [["XADD", key("x"), "2-1", "a", "2"], "2-1"],
    [["XGROUP", "CREATE", key("x"), "g", "0"], "OK"],
    [["XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", key("x"), ">"], [[key("x"), [["1-1", ["a", "1"]]]]]],
    [
      ["XINFO", "GROUPS", key("x")],
      [facts({ name: "g", consumers: 1, pending: 1, "last-delivered-id": "1-1", "entries-read": 1, lag: 1 })],
    ],
    [["XINFO", "CONSUMERS", key("x"), "g"], [facts({ name: "c", pending: 1, idle: justNow })]],
    [["XINFO", "CONSUMERS", key("x"), "none"], errorWith("NOGROUP")],
  ]),
  exchange("a stream command on another type says WRONGTYPE", (key) => [
    [["SET", key("s"), 1], "OK"],
    [["XADD", key("s"), "*", "a", "1"], errorWith("WRONGTYPE")],
    [["XREAD", "STREAMS", key("s"), "0"], errorWith("WRONGTYPE")],
    [["XGROUP", "CREATE", key("s"), "g", "0", "MKSTREAM"], errorWith("WRONGTYPE")],
    [["XREADGROUP", "GROUP", "g", "c", "STREAMS", key("s"), ">"], errorWith("WRONGTYPE")],
    [["XACK", key("s"), "g", "1-1"], errorWith("WRONGTYPE")],
  ]),
];
