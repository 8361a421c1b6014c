import { closing } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterEach, expect, test, vi } from "vitest";
import { fetchHttp, restTransport } from "../src/index.ts";

const opened = closing(afterEach);
afterEach(() => vi.unstubAllGlobals());

/** A `fetch` that keeps answers as Next.js 14 does: a POST, with a token, unless it says `no-store`. */
function cachingFetch() {
  const answers = new Map<string, Promise<{ body: string; init: ResponseInit }>>();
  const caching = async (url: string, init: RequestInit): Promise<Response> => {
    if (init.cache === "no-store") return realFetch(url, init);
    const key = `${url} ${String(init.body)}`;
    const kept =
      answers.get(key) ??
      realFetch(url, init).then(async (response) => ({
        body: await response.text(),
        init: { status: response.status, headers: { "content-type": "application/json" } },
      }));
    answers.set(key, kept);
    const { body, init: head } = await kept;
    return new Response(body, head);
  };
  return { caching, answers };
}
const realFetch = globalThis.fetch;

test("a framework that caches fetch keeps no answer: commands, pipelines, transactions, streams", async () => {
  const { caching, answers } = cachingFetch();
  vi.stubGlobal("fetch", caching);
  const server = opened(await startUpstashLocal({ port: 0, token: "t" }));
  const transport = opened(restTransport({ url: server.url, token: "t", http: fetchHttp() }));
  const heard: unknown[] = [];
  for (const round of ["1", "2"]) {
    await transport.send([["SET", "k", round]]);
    expect(await transport.send([["GET", "k"]])).toEqual([round]);
    expect(
      await transport.send([
        ["GET", "k"],
        ["STRLEN", "k"],
      ]),
    ).toEqual([round, 1]);
    expect(await transport.send([["GET", "k"]], { atomic: true })).toEqual([round]);
    expect(await transport.client.get("k")).toBe(Number(round));
    const listener = { message: ({ data }: { data: unknown }) => heard.push(data), interrupted: () => {} };
    const subscription = await transport.subscribe({ channels: ["c"] }, listener);
    await transport.send([["PUBLISH", "c", round]]);
    await expect.poll(() => heard).toContain(round);
    await subscription.close();
  }
  expect(heard).toEqual(["1", "2"]);
  expect([...answers.keys()]).toEqual([]);
});

test.each(["2023-05-18", "2024-11-11", "2026-04-26"])(
  "in a Worker of the compatibility date %s requests leave, with what that date allows",
  async (compatibilityDate) => {
    const server = opened(await startUpstashLocal({ port: 0, token: "t" }));
    const worker = `
      import { restTransport } from "@continuum-cache/transport-rest";
      const saysNoStore = [];
      const fetching = (url, init) => (saysNoStore.push(init.cache === "no-store"), fetch(url, init));
      export default {
        async fetch() {
          const transport = restTransport({ url: ${JSON.stringify(server.url)}, token: "t", fetch: fetching });
          const replies = [await transport.send([["SET", "k", "v"]]), await transport.send([["GET", "k"], ["PING"]])];
          return Response.json({ replies, saysNoStore });
        },
      };`;
    const { outputFiles } = await build({
      stdin: { contents: worker, resolveDir: import.meta.dirname },
      bundle: true,
      format: "esm",
      write: false,
      platform: "browser",
      conditions: ["@continuum-cache/source", "workerd", "worker", "browser"],
    });
    const miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.mjs", contents: outputFiles[0]?.text ?? "" }],
      compatibilityDate,
      cf: false,
    });
    opened({ close: () => miniflare.dispose() });
    const response = await miniflare.dispatchFetch("http://worker/");
    const known = compatibilityDate >= "2024-11-11";
    expect(await response.json()).toEqual({ replies: [["OK"], ["v", "PONG"]], saysNoStore: [known, known] });
  },
);
