import type { Command, Transport } from "@continuum-cache/core";
import { registerDispatch, throughSend } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { expect, it } from "vitest";
import { RateLimiter } from "../src/rate-limiter.ts";
import { closing } from "./opened.ts";

const opened = closing();

it("a limiter sends nothing by way of a fallback but resets, for which that makes up", async () => {
  const primary = opened(memoryTransport());
  const sent: Command[] = [];
  const around: Transport = {
    ...primary,
    async send(commands, options) {
      sent.push(...commands);
      return primary.send(commands, options);
    },
  };
  const transport = registerDispatch(around, throughSend(around), { primary });
  const limiter = opened(new RateLimiter({ transport }, { window: "1h", limit: 5 }));
  const decision = await limiter.limit("ann", { cost: 3 });
  expect(await limiter.getUsage("ann")).toMatchObject({ current: 3 });
  expect(await limiter.refund(decision)).toBe(true);
  expect(sent).toEqual([]);
  await limiter.limit("ann", { cost: 2 });
  await limiter.reset("ann");
  expect(sent.map(([name]) => name)).toEqual(["DEL"]);
  expect(await limiter.getUsage("ann")).toMatchObject({ current: 0 });
});
