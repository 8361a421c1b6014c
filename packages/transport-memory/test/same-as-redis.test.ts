import { compareHistories } from "@continuum-cache/conformance";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import type { Command, Transport } from "@continuum-cache/core";
import { knownCommands } from "@continuum-cache/core/kit";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { memoryTransport } from "@continuum-cache/transport-memory";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { comparable, show } from "./compare.ts";
import { createRandom, randomCommand } from "./random-commands.ts";

const server = await startRedisServer();
const redis = tcpTransport({ url: server.url });
afterAll(async () => {
  await redis.close();
  await server.close();
});

/** What a Redis before 8.4 can't be compared with. */
const sinceRedis84 = ["DELEX", "DIGEST"];
const histories = scaled(8);
const length = 500;
const compared = scaled(100);

/** ioredis misreads integers from 48 below 2^53 on, digit by digit: their last digits are not compared. */
const coarse = (transport: Transport): Transport => ({
  ...transport,
  async send(commands, options) {
    const replies = await transport.send(commands, options);
    return replies.map((reply) =>
      typeof reply === "number" && Math.abs(reply) > 9e15 ? Number(reply.toPrecision(12)) : reply,
    );
  },
});

it("the conformance suite's histories are answered as by Redis", async () => {
  const memory = memoryTransport();
  const { commands } = await compareHistories({
    left: coarse(memory),
    right: coarse(redis),
    runs: compared,
    seed: testSeed,
  });
  expect(commands).toBeGreaterThanOrEqual(compared);
});

it("histories of streams alone are answered as by Redis", async () => {
  const memory = memoryTransport();
  const { commands } = await compareHistories({
    left: coarse(memory),
    right: coarse(redis),
    runs: compared,
    seed: testSeed,
    only: (name) => /^(X.*|DEL|TYPE|RENAME)$/.test(name),
  });
  expect(commands).toBeGreaterThanOrEqual(compared);
});

describe("random commands", () => {
  beforeAll(async () => {
    await redis.send([["FLUSHALL"]]);
  });
  it(`${histories * length} of them are answered as by Redis`, async () => {
    const met = new Set<string>();
    const faults = new Map<string, string>();
    for (let seed = testSeed; seed < testSeed + histories; seed++) {
      const memory = memoryTransport();
      const random = createRandom(seed);
      const commands = Array.from({ length }, () => randomCommand(random));
      const trip: readonly Command[] = [["FLUSHALL"], ["SCRIPT", "FLUSH"], ...commands];
      const [expected, actual] = await Promise.all([redis.send(trip), memory.send(trip)]);
      for (const [index, command] of trip.entries()) {
        met.add(command[0].toUpperCase());
        const [wanted, got] = [comparable(command, expected[index]), comparable(command, actual[index])];
        if (wanted === got) continue;
        // What follows a first difference may only follow from it.
        faults.set(
          `${command[0].toUpperCase()}`,
          `seed ${seed}, command ${index} ${show(command)}: Redis ${wanted}, memory ${got}`,
        );
        break;
      }
    }
    expect([...faults.values()]).toEqual([]);
    if (histories >= 8)
      expect(knownCommands.filter((name) => !met.has(name))).toEqual(["TIME", "INFO", ...sinceRedis84]);
  });
});
