import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedisServer,
} from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import type { Way } from "../faults/fault-plan.ts";
import type { Address } from "../site/site.ts";

/** A database of its own, as those within its region and those in others reach it. */
export interface Region {
  readonly redis: RedisServer;
  readonly near: Address;
  readonly far: Address;
  /** The way from other regions. */
  readonly wan: FaultProxy;
  close(): Promise<void>;
}

export async function openRegion(way: Way): Promise<Region> {
  const redis = await startRedisServer();
  const token = "bench";
  const gateway = way === "rest" ? await startUpstashLocal({ port: 0, token, redisUrl: redis.url }) : undefined;
  const wan = await startFaultProxy({ port: gateway?.port ?? redis.port });
  const addressAt = (port: number): Address => ({
    url: `redis://127.0.0.1:${port}`,
    ...(gateway && { rest: { url: `http://127.0.0.1:${port}`, token } }),
  });
  return {
    redis,
    wan,
    near: addressAt(gateway?.port ?? redis.port),
    far: addressAt(wan.port),
    async close() {
      await wan.close();
      await gateway?.close();
      await redis.close();
    },
  };
}
