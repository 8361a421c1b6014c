import { control, site } from "@continuum-cache/runtime-site";
import { same, until } from "@continuum-cache/runtime-site/same";
import { afterAll, describe, it } from "vitest";
import { describeSubscription, describeTransport } from "../../conformance/src/index.ts";
import { Cache } from "../../core/src/index.ts";
import { restTransport } from "../../transport-rest/src/index.ts";
import { memoryTransport, withFallback } from "../src/index.ts";

const runner = { describe, it, afterAll };

describeTransport("memory", () => memoryTransport(), runner);
describeSubscription("memory", () => memoryTransport(), { ...runner, growing: true });

describe("a fallback over REST", () => {
  const primary = () => restTransport({ url: site.restUrl, token: site.restToken, timeout: "2s" });

  it("keeps what is written while the server is dead, and tells it when it is back", async () => {
    const transport = withFallback(primary(), memoryTransport(), { healthCheckInterval: "50ms" });
    const cache = new Cache({ transport });
    await cache.set("stale", "old");
    await cache.set("visits", 40);
    await control("die");
    same(await cache.delete("stale"), 0);
    same(transport.status?.currentBackend, "local");
    same(await cache.increment("visits", 2), 2);
    same(await cache.set("fresh", "new"), true);
    same([await cache.get("stale"), await cache.get("fresh")], [undefined, "new"]);
    same(transport.status?.pending, 3);
    await control("revive");
    // In a Worker nothing goes on by itself between calls: one call in a while asks for the primary.
    await until("the primary is back", async () => {
      await cache.exists("nothing");
      return transport.status?.currentBackend === "upstash";
    });
    same(transport.status?.pending, 0);
    const witness = new Cache({ transport: primary() });
    same(await witness.getMany(["stale", "visits", "fresh"]), [undefined, 42, "new"]);
    await witness.close();
    await cache.close();
  });

  it("refuses to stand in where that is not wanted", async () => {
    const cache = new Cache({ transport: withFallback(primary(), memoryTransport()) });
    await cache.set("mine", 1);
    await control("die");
    const answer = await cache.get("mine", { fallback: false }).catch((error: Error) => error.name);
    same(answer, "TransportError");
    await control("revive");
    await cache.close();
  });
});
