import { describe, expect, it } from "vitest";
import { isBounded, runLeftovers } from "../src/leftovers/run.ts";

describe("a queue and a log whose processes are killed and closed again and again", () => {
  it("leave a constant number of keys, groups, consumers and entries", async () => {
    const rows = await runLeftovers({ way: "tcp", messages: 3_000, restarts: 6, counts: 2 });
    expect(rows.at(-1)).toMatchObject({ messages: 3_000, restarts: 6 });
    expect(rows.filter((row) => !isBounded(row))).toEqual([]);
  });
});
