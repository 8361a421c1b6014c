import type { Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { expect, it } from "vitest";
import { RateLimiter } from "../src/index.ts";

const opened = closing();

/** A limiter whose script calls and decisions are recorded in order, and callers that each make two calls. */
async function asked(
  callers: number,
  hasCheapTrips = true,
): Promise<{ readonly events: string[]; readonly calls: number[] }> {
  const memory = opened(memoryTransport());
  const events: string[] = [];
  const calls: number[] = [];
  const transport: Transport = {
    ...memory,
    hasCheapTrips,
    send(commands, options) {
      for (const [name, , keys] of commands) {
        if (name !== "EVALSHA") continue;
        events.push("sent");
        calls.push(Number(keys));
      }
      return memory.send(commands, options);
    },
  };
  const limiter = opened(new RateLimiter({ transport }, { window: "1h", limit: 1_000, budget: "10s" }));
  await limiter.limit("warm");
  events.length = 0;
  calls.length = 0;
  const ask = async (nth: number): Promise<void> => {
    await limiter.limit(`user ${nth}`);
    events.push("answered");
    await limiter.limit(`user ${nth}`);
  };
  await Promise.all(Array.from({ length: callers }, (_, nth) => ask(nth)));
  return { events, calls };
}

it("sends what the first half of many callers asks next before the second half is answered", async () => {
  const { events, calls } = await asked(64);
  expect(calls).toEqual([64, 32, 32]);
  expect(events.indexOf("sent", 1)).toBe(events.indexOf("answered") + 32);
});

it("answers all at once over REST, where a script call more is an HTTP request more", async () => {
  const { calls } = await asked(64, false);
  expect(calls).toEqual([64, 64]);
});

it("answers a small batch at once", async () => {
  const { calls } = await asked(31);
  expect(calls).toEqual([31, 31]);
});
