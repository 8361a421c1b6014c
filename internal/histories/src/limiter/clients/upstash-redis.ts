import { createHash } from "node:crypto";
import { Redis as UpstashRedis, type UpstashRequest, type UpstashResponse } from "@upstash/redis";
import { Redis } from "ioredis";
import type { ServerAddress } from "../contender.ts";

/** The client that `@upstash/ratelimit` is given. */
export interface UpstashClient {
  readonly redis: UpstashRedis;
  close(): Promise<unknown>;
}

/** Over REST the one it is made for; over TCP the same, with its commands sent by ioredis. */
export function openUpstashRedis({ url, rest }: ServerAddress): UpstashClient {
  if (rest) return { redis: new UpstashRedis({ ...rest, enableTelemetry: false }), close: async () => {} };
  const ioredis = new Redis(url);
  return { redis: new UpstashRedis({ request: requestOver(ioredis) }), close: () => ioredis.quit() };
}

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

/**
 * Its scripts begin with a flag that only the service knows and plain Redis refuses. The line is taken out, and what is
 * asked for by the hash of the whole is run by the hash of the rest.
 */
function requestOver(ioredis: Redis): <Result>(request: UpstashRequest) => Promise<UpstashResponse<Result>> {
  const hashes = new Map<string, string>();
  return async <Result>({ body }: UpstashRequest) => {
    const [name = "", script = "", ...rest] = (body as readonly unknown[]).map(String);
    let word = script;
    if (name === "eval") {
      word = script.replace(/^#!lua.*/, "");
      hashes.set(sha1(script), sha1(word));
    } else if (name === "evalsha") word = hashes.get(script) ?? script;
    return { result: (await ioredis.call(name, word, ...rest)) as Result };
  };
}
