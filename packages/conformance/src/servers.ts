export type { Closable } from "./closing.ts";
export { closing } from "./closing.ts";
export type { Fault, FaultProxy } from "./fault-proxy.ts";
export { startFaultProxy } from "./fault-proxy.ts";
export type { RedisServer, RedisServerOptions } from "./redis-server.ts";
export { startRedisServer } from "./redis-server.ts";
export type { RawReply } from "./resp-client.ts";
