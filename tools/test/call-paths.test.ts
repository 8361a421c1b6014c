import { describe, expect, it } from "vitest";
import { callPaths } from "../call-path/call-paths.ts";

/** The most that one warm operation of the default cache may go through. Lower them when a path gets shorter. */
const limits: Readonly<Record<string, { files: number; moves: number; promises: number; timers: number }>> = {
  "set over TCP": { files: 63, moves: 163, promises: 4, timers: 1 },
  "get over TCP": { files: 61, moves: 147, promises: 4, timers: 1 },
  "getOrSet over TCP, a hit": { files: 70, moves: 168, promises: 15, timers: 1 },
  "set over REST": { files: 61, moves: 181, promises: 58, timers: 3 },
  "get over REST": { files: 60, moves: 164, promises: 58, timers: 3 },
  "getOrSet over REST, a hit": { files: 67, moves: 185, promises: 69, timers: 3 },
};

const paths = await callPaths();

describe("the path of one warm call", () => {
  it.each(Object.entries(limits))("of a %s stays within its limits", (operation, limit) => {
    const path = paths.find((each) => each.operation === operation);
    expect(path, `traced-program.mjs traces no ${operation}`).toBeDefined();
    for (const measure of ["files", "moves", "promises", "timers"] as const) {
      expect(path?.[measure], `${measure}: see \`pnpm call-paths --list\``).toBeLessThanOrEqual(limit[measure]);
    }
  });
});
