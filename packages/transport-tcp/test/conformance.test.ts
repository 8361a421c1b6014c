import { describeSubscription, describeTransport } from "@continuum-cache/conformance";
import { type RedisServer, type RedisServerOptions, startRedisServer } from "@continuum-cache/conformance/servers";
import { type TcpTransport, tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, it } from "vitest";

interface Setup {
  readonly server: RedisServerOptions;
  readonly make?: (server: RedisServer) => TcpTransport | { transport: TcpTransport; close(): Promise<void> };
  readonly keyPrefix?: string;
}

const setups: Readonly<Record<string, Setup>> = {
  "a plain server": { server: {} },
  "a server with TLS": { server: { tls: true } },
  "a server with a password": { server: { password: "s3cr3t p@ss/wörd" } },
  "an ACL user": {
    server: { users: ["app on >pw ~app:* &* +@all"] },
    make: ({ port }) => tcpTransport({ url: `redis://app:pw@127.0.0.1:${port}` }),
    keyPrefix: "app:",
  },
  "another database": { server: {}, make: ({ url }) => tcpTransport({ url: `${url}/3` }) },
  "one connection": { server: {}, make: ({ url }) => tcpTransport({ url, poolSize: 1 }) },
  "a client of the caller's own": {
    server: {},
    make({ url }) {
      const client = new Redis(url, { lazyConnect: true });
      client.on("error", () => {});
      return {
        transport: tcpTransport({ client }),
        async close() {
          client.disconnect();
        },
      };
    },
  },
};

for (const [name, { server: options, make, keyPrefix }] of Object.entries(setups)) {
  describe(name, () => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await startRedisServer(options);
    });
    afterAll(() => server.close());
    const open = () =>
      make?.(server) ?? tcpTransport({ url: server.url, ...(server.ca && { tls: { ca: server.ca } }) });
    const runner = { describe, it, afterAll, ...(keyPrefix && { keyPrefix }) };

    describeTransport("tcp", open, {
      ...runner,
      faults: { stall: () => server.freeze(), resume: () => server.thaw() },
    });
    describeSubscription("tcp", open, {
      ...runner,
      growing: true,
      faults: { sever: () => server.kill(), restore: () => server.restart() },
    });
  });
}
