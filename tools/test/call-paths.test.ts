import { describe, expect, it } from "vitest";
import { callPaths } from "../call-path/call-paths.ts";

/** The most that one warm operation of the default cache may go through. Lower them when a path gets shorter. */
const limits: Readonly<Record<string, { files: number; moves: number; promises: number; timers: number }>> = {
  "set over TCP": { files: 30, moves: 63, promises: 1, timers: 1 },
  "get over TCP": { files: 18, moves: 30, promises: 1, timers: 1 },
  "getOrSet over TCP, a hit": { files: 31, moves: 57, promises: 12, timers: 1 },
  "set over REST": { files: 45, moves: 111, promises: 7, timers: 1 },
  "get over REST": { files: 34, moves: 79, promises: 7, timers: 1 },
  "getOrSet over REST, a hit": { files: 45, moves: 106, promises: 18, timers: 1 },
  // Notifications come through the stream that all features of a process share.
  "push over TCP, until it is acknowledged": { files: 35, moves: 120, promises: 34, timers: 3 },
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
