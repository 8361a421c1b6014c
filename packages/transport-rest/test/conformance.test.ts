import { describeSubscription, describeTransport } from "@continuum-cache/conformance";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { restTransport } from "@continuum-cache/transport-rest";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, beforeAll, describe, it } from "vitest";
import { httpClients } from "./http-clients.ts";

const oneLine = "a server-sent event is one line of text";

for (const engine of ["a real Redis", "the embedded engine"]) {
  for (const [httpName, makeHttp] of httpClients) {
    describe(`Upstash REST before ${engine}, through ${httpName}`, () => {
      let redis: RedisServer | undefined;
      let server: UpstashLocal;
      beforeAll(async () => {
        redis = engine === "a real Redis" ? await startRedisServer() : undefined;
        server = await startUpstashLocal({ port: 0, redisUrl: redis?.url });
      });
      afterAll(async () => {
        await server.close();
        await redis?.close();
      });
      const open = () => restTransport({ url: server.url, token: server.token, http: makeHttp() });
      const runner = { describe, it, afterAll };

      describeTransport("rest", open, {
        ...runner,
        skip: {
          "bytes-anywhere": "the REST API carries bytes only as the body of a command that travels alone",
        },
        faults: { stall: () => server.pause(), resume: () => server.resume() },
      });
      describeSubscription("rest", open, {
        ...runner,
        skip: {
          "channel names may hold spaces, commas, slashes, quotes, unicode and line ends": oneLine,
          "payloads arrive as they were: text, line ends, commas, empty, 100 kB": oneLine,
          "payloads that are no text arrive as bytes": oneLine,
        },
        faults: { sever: () => server.cut(), restore() {} },
      });
    });
  }
}
