import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import type { Deed, Site } from "./site.ts";

export interface RunningSite {
  readonly site: Omit<Site, "keepsSockets">;
  close(): Promise<void>;
}

/** Starts a real Redis, a server in front of it that speaks REST, and a way for suites to make them misbehave. */
export async function startSite(): Promise<RunningSite> {
  const redis = await startRedisServer();
  const token = "runtimes";
  const startRest = (port: number) => startUpstashLocal({ port, token, redisUrl: redis.url });
  let rest = await startRest(0);
  const { url, port } = rest;

  const deeds: Readonly<Record<Deed, () => unknown>> = {
    pause: () => rest.pause(),
    resume: () => rest.resume(),
    cut: () => rest.cut(),
    die: () => rest.close(),
    revive: async () => {
      rest = await startRest(port);
    },
    freeze: () => redis.freeze(),
    thaw: () => redis.thaw(),
    kill: () => redis.kill(),
    restart: () => redis.restart(),
  };
  const controlServer = createServer((request, response) => {
    request.resume();
    const deed = deeds[request.url?.slice(1) as Deed];
    const done = deed === undefined ? Promise.reject(new Error("unknown")) : Promise.resolve().then(deed);
    done.then(
      () => response.end("done"),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  controlServer.listen(0, "127.0.0.1");
  await once(controlServer, "listening");
  const controlPort = (controlServer.address() as AddressInfo).port;

  return {
    site: { restUrl: url, restToken: token, redisUrl: redis.url, controlUrl: `http://127.0.0.1:${controlPort}` },
    async close() {
      controlServer.closeAllConnections();
      controlServer.close();
      await rest.close();
      await redis.close();
    },
  };
}
