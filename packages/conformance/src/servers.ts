export type { Closable } from "./closing.ts";
export { closing } from "./closing.ts";
export type { Fault, FaultProxy } from "./fault-proxy.ts";
export { startFaultProxy } from "./fault-proxy.ts";
export { createRandom, type Random } from "./random.ts";
export type { RedisServer, RedisServerOptions } from "./redis-server.ts";
export { startRedisServer } from "./redis-server.ts";
export type { RawClient, RawReply } from "./resp-client.ts";
export { connectRaw } from "./resp-client.ts";
