import { compareHistories } from "@continuum-cache/conformance";
import { closing, startRedisServer } from "@continuum-cache/conformance/servers";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { afterEach, expect, it } from "vitest";

const opened = closing(afterEach);

it("answers random commands alike over TLS and over a caller's RESP3 client", async () => {
  const [secure, plain] = await Promise.all([startRedisServer({ tls: true }), startRedisServer()]);
  opened(secure);
  opened(plain);
  const left = opened(tcpTransport({ url: secure.url, ...(secure.ca && { tls: { ca: secure.ca } }) }));
  const client = new Redis(plain.url);
  const right = opened(tcpTransport({ client }));
  const { commands } = await compareHistories({ left, right, runs: scaled(300), seed: testSeed });
  expect(commands).toBeGreaterThan(scaled(300));
  client.disconnect();
});
