export type { RedisServer, RedisServerOptions } from "./redis-server.ts";
export { startRedisServer } from "./redis-server.ts";
export type { RawReply } from "./resp-client.ts";
