import { type Command, isCommandError } from "@continuum-cache/core";
import { anyError, errorWith, expectReply, show } from "../expect/expect-reply.ts";
import { exchange, type TransportCase } from "./transport-case.ts";

const canary = "canary-4f1d0c";

/** Errors have Redis' codes, and never hold a stored value. */
export const errorCases: readonly TransportCase[] = [
  exchange("an error carries Redis' own code", (key) => [
    [["RPUSH", key("l"), 1], 1],
    [["GET", key("l")], errorWith("WRONGTYPE", /Operation against a key holding the wrong kind of value/)],
    [["SET", key("a"), 1, "EX", "x"], errorWith("ERR", /value is not an integer or out of range/)],
    [["SCRIPT", "NO-SUCH-SUBCOMMAND"], errorWith("ERR")],
    [["EVALSHA", "0".repeat(40), 0], errorWith("NOSCRIPT", /No matching script/)],
  ]),
  exchange("every command checks how many arguments it got", (key) =>
    [
      ...["GET", "SET", "HSET", "LPUSH", "EXPIRE", "MGET", "DEL", "INCRBY", "LRANGE", "PUBLISH"].map(
        (name): Command => [name],
      ),
      ["GET", key("a"), key("b")] as const,
    ].map((command) => [command, errorWith("ERR", /wrong number of arguments/)] as const),
  ),
  {
    title: "no error repeats an argument, which may be a stored value",
    async run(transport, key) {
      const commands = [
        ["NO-SUCH-COMMAND", key("a"), canary, canary],
        ["SET", key("a"), canary, "NO-SUCH-OPTION", canary],
        ["EXPIRE", key("a"), canary],
        ["INCRBY", key("a"), canary],
        ["LPUSH", key("a")],
      ] as const;
      for (const options of [{}, { atomic: true }]) {
        const replies = await transport.send(commands, options);
        expectReply(
          replies,
          commands.map(() => anyError),
        );
        for (const reply of replies) {
          const text = isCommandError(reply)
            ? `${reply.message} ${reply.stack} ${JSON.stringify(reply)} ${reply.cause}`
            : "";
          if (text.includes(canary)) throw new Error(`expected no argument in an error, got ${show(reply)}`);
        }
      }
    },
  },
];
