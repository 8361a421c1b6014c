import { startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";

/** A Redis that goes away and comes back. */
export interface FaultySite {
  readonly url: string;
  leave(): void | Promise<void>;
  comeBack(): void | Promise<void>;
  close(): Promise<void>;
}

const killed = async (appendonly: boolean): Promise<FaultySite> => {
  const redis = await startRedisServer({ appendonly });
  return { url: redis.url, leave: () => redis.kill(), comeBack: () => redis.restart(), close: () => redis.close() };
};

/** Ways to be away, by the names that tables give them. */
export const faults: Readonly<Record<string, () => Promise<FaultySite>>> = {
  "killed, back with its data": () => killed(true),
  "killed, back empty": () => killed(false),
  async frozen() {
    const redis = await startRedisServer();
    return { url: redis.url, leave: redis.freeze, comeBack: redis.thaw, close: () => redis.close() };
  },
  async "black hole"() {
    const redis = await startRedisServer();
    const proxy = await startFaultProxy(redis);
    return {
      url: `redis://${proxy.host}:${proxy.port}`,
      leave: () => proxy.set({ kind: "blackhole" }),
      comeBack: () => proxy.set({ kind: "pass" }),
      async close() {
        await proxy.close();
        await redis.close();
      },
    };
  },
};
