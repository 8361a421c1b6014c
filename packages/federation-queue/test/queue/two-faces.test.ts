import { type Argument, isCommandError, type Reply, type Transport } from "@continuum-cache/core";
import { runScript, type Script } from "@continuum-cache/core/kit";
import { describeTwoFaces } from "@continuum-cache/fixtures";
import fc from "fast-check";
import { redriveScript } from "../../src/queue/dead-letters.ts";
import { forgetConsumersScript } from "../../src/queue/forget-consumers-script.ts";
import { maintenanceScript } from "../../src/queue/maintenance-script.ts";
import { packDelayed, type StreamEntry, writeFields } from "../../src/queue/message-fields.ts";
import { moveScript } from "../../src/queue/move-script.ts";
import { pushScript } from "../../src/queue/push-scripts.ts";
import { createQueueKeys } from "../../src/queue/settings.ts";

// Whatever happens to a queue: Lua on Redis and TypeScript on the memory answer the same and leave the same.

const hourMs = 3_600_000;
const names = ["high", "low"];
/** Below all there is: how much "about" trims is each server's own affair. */
const floorMs = 1;

type Step =
  | {
      do: "push";
      to: number;
      id: number;
      unique: boolean;
      nonce: number;
      delay: string;
      doubt: number;
      since: number;
      floor: boolean;
    }
  | { do: "old"; to: number; atMs: number; id: number; f: number; c: number; w: boolean }
  | { do: "odd"; text: string; id: number }
  | { do: "read"; consumer: number; count: number; of: number }
  | { do: "ack" | "move"; nth: number; count: number; to: number; delay: string }
  | { do: "maintain"; lease: number; maxCrashes: number; retention: number; kept: number | ""; batch: number }
  | { do: "redrive"; count: number; unknown: boolean }
  | { do: "forget"; consumer: number; idle: number };

const nat = (max: number) => fc.nat({ max });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("push" as const),
      to: nat(1),
      id: nat(5),
      unique: fc.boolean(),
      nonce: nat(2),
      delay: fc.constantFrom("", "", "", "0", String(hourMs)),
      // Each step is 2 ms and more after the one before: so it looks back at nothing, or at everything.
      doubt: fc.constantFrom(0, 0, 1, hourMs),
      since: fc.constantFrom(0, 0, 30, 10 ** 14),
      floor: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("old" as const),
      to: nat(2),
      atMs: fc.integer({ min: 1, max: 50 }),
      id: nat(5),
      f: nat(1),
      c: nat(2),
      w: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("odd" as const),
      text: fc.constantFrom("none of ours", "a\nb\nc", ["i", "gone", "1", "0", "-5", "", "d", "text"].join("\n")),
      id: nat(3),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      consumer: nat(1),
      count: fc.integer({ min: 1, max: 4 }),
      of: nat(2),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("ack" as const, "move" as const),
      nth: nat(6),
      count: fc.integer({ min: 1, max: 3 }),
      to: nat(2),
      delay: fc.constantFrom("0", String(hourMs)),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("maintain" as const),
      lease: fc.constantFrom(0, hourMs),
      maxCrashes: fc.integer({ min: 1, max: 3 }),
      retention: fc.constantFrom(hourMs, hourMs, 10 ** 14),
      kept: fc.constantFrom<number | "">(0, hourMs, ""),
      batch: fc.constantFrom(1, 2, 100),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("redrive" as const),
      count: fc.integer({ min: 1, max: 4 }),
      unknown: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("forget" as const), consumer: nat(2), idle: fc.constantFrom(0, hourMs) }),
  },
);

/** Times of today differ between two servers; the rest must not. */
const comparable = (reply: Reply | undefined): unknown => {
  if (isCommandError(reply)) return reply.code;
  if (Array.isArray(reply)) return (reply as readonly Reply[]).map(comparable);
  if (typeof reply === "number") return reply > 10 ** 12 ? "time" : reply;
  if (typeof reply !== "string") return reply ?? null;
  return reply
    .split("\n")
    .map((word) => {
      if (!/^\d{13,15}(-\d+)?$/.test(word)) return word;
      return Number.parseInt(word, 10) > Date.now() + hourMs / 2 ? "later" : "now";
    })
    .join("\n");
};

async function play(transport: Transport, steps: readonly Step[]): Promise<unknown[]> {
  const keys = createQueueKeys("faces", names);
  const streams = keys.streams.map(({ key }) => key);
  const told: unknown[] = [];
  const given: { readonly key: string; readonly id: string }[] = [];
  const run = async (script: Script, on: readonly string[], args: readonly Argument[]): Promise<void> => {
    told.push(comparable(await runScript(transport, script, on, args).catch((error: Error) => error.message)));
  };
  const streamOf = (at: number): string => streams[at % streams.length] ?? "";
  for (const key of [...streams]) await transport.send([["XGROUP", "CREATE", key, "workers", "0", "MKSTREAM"]]);

  for (const one of steps) {
    switch (one.do) {
      case "push": {
        const priority = names[one.to] ?? "";
        const message = { i: `m${one.id}`, e: `"${one.id}"`, p: priority };
        const isDelayed = one.delay !== "";
        const words = isDelayed
          ? [packDelayed({ ...message, t: `-${one.delay}` })]
          : writeFields({ ...message, p: undefined });
        const on = [isDelayed ? keys.delayed : keys.of(priority).key, ...(one.unique ? [keys.marker(message.i)] : [])];
        await run(pushScript, on, [
          hourMs,
          `n${one.nonce}`,
          one.delay,
          one.doubt,
          one.since,
          one.floor ? floorMs : "",
          ...words,
        ]);
        break;
      }
      case "old": {
        const { f, c, id } = one;
        const isAgain = one.to === 0;
        const words = writeFields({
          i: `m${id}`,
          e: "{}",
          f: String(isAgain ? f : 0),
          c: String(isAgain ? c : 0),
          w: one.w ? String(Date.now()) : undefined,
          p: isAgain ? (names[id] ?? "unknown") : undefined,
        });
        told.push(comparable((await transport.send([["XADD", streamOf(one.to), `${one.atMs}-1`, ...words]]))[0]));
        break;
      }
      case "odd":
        await transport.send([["ZADD", keys.delayed, 5, `${one.text}${one.id}`]]);
        break;
      case "read": {
        const key = streamOf(one.of);
        const command = [
          "XREADGROUP",
          "GROUP",
          "workers",
          `c${one.consumer}`,
          "COUNT",
          one.count,
          "STREAMS",
          key,
          ">",
        ] as const;
        const [reply] = await transport.send([command]);
        const [[, entries = []] = []] = (reply ?? []) as readonly (readonly [string, readonly StreamEntry[]])[];
        given.push(...entries.map(([id]) => ({ key, id })));
        told.push(comparable(reply as Reply));
        break;
      }
      case "ack":
      case "move": {
        const lease = given.at(-1 - one.nth);
        if (!lease) break;
        if (one.do === "ack") {
          told.push((await transport.send([["XACK", lease.key, "workers", lease.id]]))[0]);
          break;
        }
        const failed = { i: `m${one.nth}`, e: "[]", f: "1", c: "0", t: "7", p: "high", d: "why" };
        const isDelayed = one.to === 2;
        const to = isDelayed ? keys.delayed : one.to === 1 ? keys.dead : keys.retry.key;
        const words = isDelayed
          ? [packDelayed(failed)]
          : writeFields({ ...failed, r: one.to === 1 ? "failed" : undefined });
        const ids = given.filter(({ key }) => key === lease.key).slice(-one.count);
        const args = ids.flatMap(({ id }) => [id, isDelayed ? one.delay : "", words.length, ...words]);
        await run(moveScript, [lease.key, to], args);
        break;
      }
      case "maintain":
        await run(
          maintenanceScript,
          [keys.delayed, keys.dead, ...streams],
          [one.lease, one.maxCrashes, one.retention, one.kept, one.batch, ...names],
        );
        break;
      case "redrive": {
        const [dead] = await transport.send([["XRANGE", keys.dead, "-", "+", "COUNT", one.count]]);
        const entryIds = ((dead ?? []) as readonly StreamEntry[]).map(([id]) => id);
        await run(
          redriveScript,
          [keys.dead, ...streams],
          [names.length, ...names, ...(one.unknown ? ["1-1"] : []), ...entryIds],
        );
        break;
      }
      case "forget":
        await run(forgetConsumersScript, streams, [one.consumer === 2 ? "" : `c${one.consumer}`, one.idle]);
        break;
    }
    const left = await transport.send([
      ...[...streams, keys.dead].map((key) => ["XRANGE", key, "-", "+"] as const),
      ...streams.map((key) => ["XPENDING", key, "workers"] as const),
      ...streams.map((key) => ["XINFO", "GROUPS", key] as const),
      ["ZRANGE", keys.delayed, 0, -1, "WITHSCORES"],
      ["EXISTS", ...[0, 1, 2, 3, 4, 5].map((id) => keys.marker(`m${id}`))],
    ]);
    told.push(left.map(comparable));
    // What is due in this very millisecond is due on both in the next; and ids of one millisecond have numbers.
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  return told;
}

describeTwoFaces("the scripts of a queue", {
  "pushes, leases, moves and maintenance": {
    ...{ step, maxSteps: 40, runs: 30, play },
  },
});
