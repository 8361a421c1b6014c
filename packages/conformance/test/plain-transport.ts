import { CommandError, type Reply, type Transport, TransportError } from "@continuum-cache/core";
import { textOrBytes, withDeadline } from "@continuum-cache/core/kit";
import { Redis } from "ioredis";

/** The shortest right transport over ioredis: for the suite's own tests, which may not use a package above it. */
export function plainTransport(url: string): Transport {
  const redis = new Redis(url, { protocol: 2, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true });
  let closed = false;
  const toReply = (raw: unknown): Reply => {
    if (raw instanceof Error) return new CommandError(raw.message);
    if (Array.isArray(raw)) return raw.map(toReply);
    return raw instanceof Uint8Array ? textOrBytes(new Uint8Array(raw)) : (raw as Reply);
  };
  const call = (name: string, args: readonly unknown[]): Promise<unknown> =>
    redis
      // In upper case: ioredis reshapes the replies of commands that it knows by their lower-case names.
      .callBuffer(
        name.toUpperCase(),
        ...args.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg) : String(arg))),
      )
      .catch((error: Error) => error);

  return {
    name: "plain",
    async send(commands, options) {
      if (closed) throw closedError();
      return withDeadline("plain", options, async () => {
        const wire = options?.atomic && commands.length > 0 ? [["MULTI"], ...commands, ["EXEC"]] : commands;
        const raws = await Promise.all(wire.map(([name, ...args]) => call(String(name), args)));
        if (closed) throw closedError();
        if (wire === commands) return raws.map(toReply);
        const done = raws.at(-1);
        return Array.isArray(done) ? done.map(toReply) : commands.map(() => toReply(done));
      });
    },
    async close() {
      closed = true;
      redis.disconnect();
    },
  };
}

const closedError = (): TransportError =>
  new TransportError("closed", "The transport was closed", { transport: "plain" });
