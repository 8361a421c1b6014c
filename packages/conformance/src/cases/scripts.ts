import { CommandError, isCommandError, type Transport } from "@continuum-cache/core";
import { defineScript, runScript } from "@continuum-cache/core/kit";
import { errorWith, expectReply, show } from "../expect/expect-reply.ts";
import { exchange, one, type TransportCase } from "./transport-case.ts";

const addAndTell = defineScript({
  name: "conformance-add-and-tell",
  keys: 1,
  lua: `
    local total = redis.call("INCRBY", KEYS[1], ARGV[1])
    redis.call("EXPIRE", KEYS[1], ARGV[2])
    return { total, "done", { KEYS[1] } }`,
  memory({ call, keys: [key = ""], args: [amount = "", ttl = ""] }) {
    const total = call("INCRBY", key, amount);
    call("EXPIRE", key, ttl);
    return [total, "done", [key]];
  },
});

const push = defineScript({
  name: "conformance-push",
  keys: 1,
  lua: `return redis.call("LPUSH", KEYS[1], ARGV[1])`,
  memory: ({ call, keys: [key = ""], args: [value = ""] }) => call("LPUSH", key, value),
});

const copy = defineScript({
  name: "conformance-copy",
  keys: 2,
  lua: `
    local value = redis.call("GET", KEYS[1])
    if not value then return false end
    redis.call("SET", KEYS[2], value)
    return value`,
  memory({ call, keys: [from = "", to = ""] }) {
    const value = call("GET", from);
    if (typeof value !== "string" && !(value instanceof Uint8Array)) return null;
    call("SET", to, value);
    return value;
  },
});

/** A text that only this run uses, so that no server knows the script. */
function freshScript(): ReturnType<typeof defineScript> {
  const mark = globalThis.crypto.randomUUID();
  return defineScript({ name: `conformance-${mark}`, keys: 0, lua: `return "${mark}"`, memory: () => mark });
}

const refusal = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    (reply) => {
      throw new Error(`expected the script to be refused, got ${show(reply)}`);
    },
    (error: unknown) => error,
  );

/** Scripts, in Lua or in TypeScript. */
export const scriptCases: readonly TransportCase[] = [
  {
    title: "runScript answers what the script returns, nested replies included",
    async run(transport, key) {
      expectReply(await runScript(transport, addAndTell, [key("n")], [5, 100]), [5, "done", [key("n")]]);
      expectReply(await runScript(transport, addAndTell, [key("n")], [2, 100]), [7, "done", [key("n")]]);
    },
  },
  {
    title: "a script may answer nil",
    async run(transport, key) {
      expectReply(await runScript(transport, copy, [key("none"), key("b")], []), null);
    },
  },
  {
    title: "an error of redis.call reaches the caller as a CommandError",
    async run(transport, key) {
      expectReply(await one(transport, "SET", key("s"), "text"), "OK");
      const error = await refusal(runScript(transport, push, [key("s")], ["x"]));
      if (!isCommandError(error)) throw new Error(`expected a CommandError, got ${String(error)}`);
      expectReply(error, new CommandError("WRONGTYPE"));
    },
  },
  {
    title: "a script that the server does not know is sent by its text once",
    async run(transport) {
      const script = freshScript();
      const names: string[] = [];
      const spy: Transport = {
        name: transport.name,
        send(commands, options) {
          names.push(...commands.map(([name]) => name));
          return transport.send(commands, options);
        },
        close: async () => {},
      };
      const expected = script.name.replace("conformance-", "");
      expectReply(await runScript(spy, script, [], []), expected);
      expectReply(await runScript(spy, script, [], []), expected);
      const calls = names.join(" ");
      // A backend that has the script's TypeScript face may know it from the start.
      if (calls !== "EVALSHA EVAL EVALSHA" && calls !== "EVALSHA EVALSHA") {
        throw new Error(`expected EVALSHA, EVAL, EVALSHA; got ${calls}`);
      }
    },
  },
  exchange("an unknown hash is a NOSCRIPT error", () => [
    [["EVALSHA", "f".repeat(40), 0], errorWith("NOSCRIPT")],
    [["EVALSHA_RO", "f".repeat(40), 0], errorWith("NOSCRIPT")],
    [["SCRIPT", "EXISTS", "f".repeat(40)], [0]],
  ]),
  {
    title: "SCRIPT LOAD answers the hash, and EVALSHA_RO and EVAL_RO run what only reads",
    async run(transport) {
      const script = freshScript();
      const value = script.name.replace("conformance-", "");
      expectReply(await one(transport, "SCRIPT", "LOAD", script.lua), script.sha1);
      expectReply(
        await transport.send([
          ["SCRIPT", "EXISTS", script.sha1],
          ["EVALSHA", script.sha1, 0],
          ["EVALSHA_RO", script.sha1, 0],
          ["EVAL_RO", script.lua, 0],
        ]),
        [[1], value, value, value],
      );
    },
  },
  {
    title: "bytes go into a script and come out of it unharmed",
    async run(transport, key) {
      const bytes = new Uint8Array([0xff, 0x00, 0xc1, 0x0d, 0x0a]);
      expectReply(await runScript(transport, push, [key("l")], [bytes]), 1);
      expectReply(await one(transport, "LINDEX", key("l"), 0), bytes);
      expectReply(await one(transport, "SET", key("a"), bytes), "OK");
      expectReply(await runScript(transport, copy, [key("a"), key("b")], []), bytes);
      expectReply(await one(transport, "GET", key("b")), bytes);
    },
  },
  {
    title: "a script may be part of an atomic trip",
    async run(transport, key) {
      const trip = [
        ["SET", key("n"), 1],
        ["EVAL", addAndTell.lua, 1, key("n"), 1, 100],
        ["GET", key("n")],
      ] as const;
      expectReply(await transport.send(trip, { atomic: true }), ["OK", [2, "done", [key("n")]], "2"]);
    },
  },
];
