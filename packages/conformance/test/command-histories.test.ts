import { compareHistories } from "@continuum-cache/conformance";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { CommandError, type Reply, type Transport } from "@continuum-cache/core";
import { knownCommands } from "@continuum-cache/core/kit";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainTransport } from "./plain-transport.ts";

let servers: RedisServer[];
let left: Transport;
let right: Transport;
beforeAll(async () => {
  servers = await Promise.all([startRedisServer(), startRedisServer()]);
  [left, right] = servers.map(({ url }) => plainTransport(url)) as [Transport, Transport];
});
afterAll(async () => {
  await Promise.all([left, right].map((transport) => transport?.close()));
  await Promise.all(servers.map((server) => server.close()));
});

/** The same transport with one reply falsified. */
const twisted = (transport: Transport, twist: (name: string, reply: Reply) => Reply): Transport => ({
  ...transport,
  async send(commands, options) {
    const replies = await transport.send(commands, options);
    return replies.map((reply, index) => twist(commands[index]?.[0] ?? "", reply));
  },
});

const runs = scaled(300);

describe("compareHistories", () => {
  it("finds no difference between a Redis and another over thousands of commands", async () => {
    const { commands, histories, byName } = await compareHistories({ left, right, runs, seed: testSeed });
    expect(histories).toBe(runs);
    expect(commands).toBeGreaterThan(runs);
    const leftOut = ["TIME", "INFO", "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "SCRIPT", "DELEX", "DIGEST"];
    if (runs >= 300) expect(knownCommands.filter((name) => !leftOut.includes(name) && !byName[name])).toEqual([]);
  });

  it("repeats itself with the same seed", async () => {
    const first = await compareHistories({ left, right, runs: 20, seed: 7 });
    const second = await compareHistories({ left, right, runs: 20, seed: 7 });
    expect(second).toEqual(first);
  });

  it("finds a counter that is off by one", async () => {
    const wrong = twisted(right, (name, reply) => (name === "INCR" && reply === 2 ? 3 : reply));
    await expect(compareHistories({ left, right: wrong, runs: 2_000, seed: 1 })).rejects.toThrow(
      /INCR[\s\S]*left: {2}2\n {2}right: 3/,
    );
  });

  it("finds an error with other words, and shows the shortest history", async () => {
    const wrong = twisted(right, (_, reply) =>
      reply instanceof CommandError && reply.code === "WRONGTYPE" ? new CommandError("WRONGTYPE no") : reply,
    );
    const failure = await compareHistories({ left, right: wrong, runs: 500, seed: 1 }).catch((error: Error) => error);
    expect(failure).toBeInstanceOf(Error);
    const { message } = failure as Error;
    expect(message).toContain("seed 1");
    expect(message.split("\n").filter((line) => line.startsWith("  [")).length).toBeLessThanOrEqual(4);
  });
});
