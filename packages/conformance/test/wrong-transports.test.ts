import { type TransportCase, transportCases } from "@continuum-cache/conformance";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Command, Reply, SendOptions, Transport } from "@continuum-cache/core";
import { knownCommands } from "@continuum-cache/core/kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainTransport } from "./plain-transport.ts";

let server: RedisServer;
let right: Transport;
beforeAll(async () => {
  server = await startRedisServer();
  right = plainTransport(server.url);
});
afterAll(async () => {
  await right.close();
  await server.close();
});

/** The titles of the cases that a transport fails. */
async function failed(transport: Transport, cases: readonly TransportCase[] = transportCases): Promise<string[]> {
  const titles: string[] = [];
  for (const [index, one] of cases.entries()) {
    const namespace = `wrong:${Math.random()}:${index}:`;
    await one.run(transport, (name) => namespace + name).catch(() => titles.push(one.title));
  }
  return titles;
}

type Send = (commands: readonly Command[], options?: SendOptions) => Promise<Reply[]>;
const withSend = (send: Send): Transport => ({ ...right, send });
const withReplies = (twist: (reply: Reply) => Reply): Transport =>
  withSend(async (commands, options) => (await right.send(commands, options)).map(twist));
const deep =
  (twist: (reply: Reply) => Reply) =>
  (reply: Reply): Reply =>
    Array.isArray(reply) ? reply.map((item) => deep(twist)(item as Reply)) : twist(reply);

describe("the suite", () => {
  it("passes a right transport", async () => {
    expect(await failed(right)).toEqual([]);
  });

  it("has a case for every command in the table", async () => {
    const used = new Set<string>();
    const spy = withSend((commands, options) => {
      for (const [name] of commands) used.add(name.toUpperCase());
      return right.send(commands, options);
    });
    await failed(spy);
    // Redis has these from 8.4 on; upstash-local has tests of its own for them.
    expect(knownCommands.filter((name) => !used.has(name))).toEqual(["DELEX", "DIGEST"]);
  });

  it("has no two cases of one title", () => {
    const titles = transportCases.map(({ title }) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  const queue: Promise<unknown>[] = [];
  const wrong: Readonly<Record<string, () => Transport>> = {
    "loses a reply": () => withSend(async (commands, options) => (await right.send(commands, options)).slice(0, -1)),
    "swaps two replies": () =>
      withSend(async (commands, options) => {
        const [first, second, ...rest] = await right.send(commands, options);
        return (second === undefined ? [first] : [second, first, ...rest]) as Reply[];
      }),
    "decodes bytes lossily": () =>
      withReplies(deep((reply) => (reply instanceof Uint8Array ? new TextDecoder().decode(reply) : reply))),
    "hands out text as bytes": () =>
      withReplies(
        deep((reply) => (typeof reply === "string" && reply.length > 5 ? new TextEncoder().encode(reply) : reply)),
      ),
    "drops a byte order mark": () =>
      withReplies(deep((reply) => (typeof reply === "string" ? reply.replace("\ufeff", "") : reply))),
    "parses what looks like JSON": () =>
      withReplies(
        deep((reply) => {
          try {
            return typeof reply === "string" ? JSON.parse(reply) : reply;
          } catch {
            return reply;
          }
        }),
      ),
    "turns null into an empty text": () => withReplies(deep((reply) => reply ?? "")),
    "throws errors instead of placing them": () =>
      withSend(async (commands, options) => {
        const replies = await right.send(commands, options);
        for (const reply of replies) if (reply instanceof Error) throw reply;
        return replies;
      }),
    "ignores signals": () => withSend((commands, { signal: _, ...options } = {}) => right.send(commands, options)),
    "sends before it looks at the signal": () =>
      withSend(async (commands, options) => {
        if (options?.signal?.aborted) await right.send(commands);
        return right.send(commands, options);
      }),
    "ignores atomic": () => withSend((commands, options) => right.send(commands, { ...options, atomic: false })),
    "runs trips in any order": () =>
      withSend(async (commands, options) => {
        await new Promise((resolve) => setTimeout(resolve, queue.push(Promise.resolve()) % 2 === 0 ? 0 : 3));
        return right.send(commands, options);
      }),
    "cuts keys off at 8 kB": () =>
      withSend((commands, options) =>
        right.send(
          commands.map(
            (command) =>
              command.map((part) => (typeof part === "string" ? part.slice(0, 8_192) : part)) as unknown as Command,
          ),
          options,
        ),
      ),
    "repeats arguments in its errors": () =>
      withSend(async (commands, options) => {
        const replies = await right.send(commands, options);
        return replies.map((reply, index) =>
          reply instanceof Error ? Object.assign(reply, { cause: new Error(String(commands[index])) }) : reply,
        );
      }),
  };
  it.each(Object.keys(wrong))("objects to a transport that %s", async (name) => {
    const titles = await failed((wrong[name] as () => Transport)());
    expect(titles.length).toBeGreaterThan(0);
  });
});
