import { expect, it } from "vitest";
import { storyOf } from "../../src/run/story.ts";

it("tells a violation by the faults and the records of what it names, in the order of time", () => {
  const delivery = { kind: "delivery", subscriber: "s", publisher: "p", number: 2, atMs: 30 };
  const records = [
    delivery,
    { kind: "delivery", subscriber: "s", publisher: "p", number: 3, atMs: 40 },
    { kind: "open", subscriber: "s", atMs: 5 },
    { kind: "open", subscriber: "t", atMs: 6 },
    { kind: "publish", publisher: "p", number: 2, startMs: 20 },
    { kind: "fault", name: "freeze server", startMs: 10 },
  ];
  const violation = { kind: "duplicated", detail: "it came before", subscriber: "s", message: "p/2" };
  const [title, ...lines] = storyOf(violation, records).split("\n");
  expect(title).toBe('duplicated: it came before {"subscriber":"s","message":"p/2"}');
  expect(lines.map((line) => JSON.parse(line))).toEqual([records[2], records[5], records[4], delivery]);
});
