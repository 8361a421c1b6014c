import { describe, expect, it } from "vitest";
import { checkHistory } from "../../src/cache/check-history.ts";
import type { History } from "../../src/cache/history.ts";
import { linesOf, parseHistory } from "../../src/cache/history-file.ts";
import { tellStory } from "../../src/cache/story.ts";
import { deleted, failed, found, tell, wrote } from "./told-history.ts";

const history = tell({
  outages: { 0: [[100, 200]] },
  calls: [
    [1, 10, 20, wrote("v")],
    [0, 120, 121, deleted()],
    [0, 130, 140, wrote("other", "elsewhere")],
    [1, 150, 160, wrote("w", "elsewhere"), { ...failed(), insists: true }],
  ],
  nemesis: [{ startUs: 95_000, endUs: 190_000, fault: "blackhole", client: 0, relapse: true }],
  finals: [found("v"), found("other", "elsewhere")],
});

/** As a kept file has it: with other lines before its records. */
const formatHistory = (one: History): string =>
  [{ connection: "tcp" }, ...linesOf(one)].map((line) => `${JSON.stringify(line)}\n`).join("");

describe("a history", () => {
  it("comes back from a file as it was, and is judged alike", () => {
    const copy = parseHistory(formatHistory(history));
    expect(copy).toEqual(history);
    expect(checkHistory(copy)).toEqual(checkHistory(history));
  });

  it("is one JSON value a line", () => {
    const lines = formatHistory(history).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).line)).toEqual(
      expect.arrayContaining(["history", "action", "client", "change", "status", "call", "final"]),
    );
  });

  it("that is cut off at its beginning is refused", () => {
    expect(() => parseHistory('{"line":"client","client":0,"settled":true}\n')).toThrow(SyntaxError);
  });

  it("tells a violation as the calls on its key, the faults and the changes of backend, in the order of time", () => {
    const [violation] = checkHistory(history).violations;
    if (!violation) throw new Error("Expected a violation");
    expect(tellStory(history, violation).split("\n")).toEqual([
      expect.stringMatching(/^resurrection: k was v again in the direct read at the end/),
      "  seed 1, tcp, outage",
      "  0.0–10.0 ms* client 1's call #0 (upstash): set v, 0 pending",
      "  85.0–180.0 ms  again blackhole for client 0",
      "  90.0 ms  client 0: upstash→local (timeout)",
      "  110.0–111.0 ms* client 0's call #1 (local): deleted, 1 pending",
      "  190.0 ms  client 0: local→upstash (back)",
      "  190.0 ms  client 0: 0 pending",
      "  990.0–1000.0 ms* the direct read at the end: found v",
    ]);
  });
});
