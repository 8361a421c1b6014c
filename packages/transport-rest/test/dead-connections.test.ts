import { startFaultProxy } from "@continuum-cache/conformance/servers";
import { restTransport } from "@continuum-cache/transport-rest";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { expect, test } from "vitest";
import { patientMs } from "./timed-out.ts";

test("a connection that goes silent takes the idle ones with it: the next call opens a new one", async () => {
  const server = await startUpstashLocal({ port: 0, token: "local" });
  const proxy = await startFaultProxy({ port: Number(new URL(server.url).port) });
  const transport = restTransport({
    url: `http://127.0.0.1:${proxy.port}`,
    token: "local",
    timeout: patientMs / 1_000,
  });
  try {
    await Promise.all(Array.from({ length: 5 }, (_, at) => transport.send([["SET", `k${at}`, at]])));
    expect(proxy.connections).toBe(5);

    proxy.set({ kind: "blackhole" });
    const silent = transport.send([["GET", "k0"]], { timeoutMs: 100 });
    await expect(silent).rejects.toMatchObject({ kind: "timeout" });
    await expect.poll(() => proxy.connections).toBe(0);

    proxy.set({ kind: "pass" });
    expect(await transport.send([["GET", "k0"]])).toEqual(["0"]);
    expect(proxy.seen.connections).toBe(6);

    // A caller who gives up says nothing about the connections.
    const controller = new AbortController();
    await Promise.all(["k0", "k1"].map((key) => transport.send([["GET", key]])));
    const aborted = transport.send([["GET", "k0"]], { signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ kind: "aborted" });
    expect(proxy.connections).toBeGreaterThan(0);
  } finally {
    await transport.close();
    await proxy.close();
    await server.close();
  }
});
