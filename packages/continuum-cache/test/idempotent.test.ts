import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expressIdempotent, honoIdempotent, idempotent } from "@continuum-cache/core/idempotent";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

let server: UpstashLocal;
let one: UpstashCache;
let two: UpstashCache;
let runs = 0;
beforeAll(async () => {
  server = await startUpstashLocal({ port: 0, token: "local" });
  const options = { restUrl: server.url, restToken: "local", env: {} };
  [one, two] = [new UpstashCache(options), new UpstashCache({ ...options, timeout: "1s", retries: 0 })];
});
beforeEach(async () => {
  runs = 0;
  await one.transport.send([["FLUSHDB"]]);
});
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
  await server.close();
});

const request = (key: string | undefined, body: unknown = { amount: 7 }, more: Record<string, string> = {}) =>
  new Request("http://shop.test/payments?x=1", {
    method: "POST",
    headers: { ...(key !== undefined && { "idempotency-key": key }), ...more },
    body: JSON.stringify(body),
  });
const pay = async (incoming: Request) => {
  runs++;
  const { amount } = (await incoming.json()) as { amount: number };
  await sleep(50);
  const headers = new Headers({ location: `/receipts/${runs}` });
  headers.append("set-cookie", "a=1");
  headers.append("set-cookie", "b=2");
  return new Response(JSON.stringify({ amount, run: runs }), { status: 201, headers });
};

describe("a fetch handler", () => {
  it("answers a repetition as the first request, also in another process and while the first one runs", async () => {
    const [here, there] = [idempotent(one, pay), idempotent(two, pay)];
    const answers = await Promise.all([here(request("k")), there(request("k")), here(request("k"))]);
    const later = await there(request("k"));
    for (const answer of [...answers, later]) {
      expect(answer.status).toBe(201);
      expect(answer.headers.get("location")).toBe("/receipts/1");
      expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
      expect(await answer.json()).toEqual({ amount: 7, run: 1 });
    }
    expect(later.headers.get("idempotency-replayed")).toBe("true");
    expect(runs).toBe(1);
  });

  it("refuses the same key for another request, and keeps clients apart", async () => {
    const handler = idempotent(one, pay);
    await handler(request("k"));
    const other = await handler(request("k", { amount: 8 }));
    expect(other.status).toBe(422);
    expect(other.headers.get("content-type")).toBe("application/problem+json");
    const foreign = await handler(request("k", { amount: 8 }, { authorization: "Bearer of-another" }));
    expect(foreign.status).toBe(201);
    expect(runs).toBe(2);
  });

  it("passes requests without a key on, unless one is required, and refuses a key that is too long", async () => {
    const handler = idempotent(one, pay);
    await Promise.all([handler(request(undefined)), handler(request(undefined))]);
    expect(runs).toBe(2);
    expect((await idempotent(one, pay, { required: true })(request(undefined))).status).toBe(400);
    expect((await handler(request("k".repeat(256)))).status).toBe(400);
  });

  it("keeps no failure: the operation may be tried again", async () => {
    const statuses = [500, 200];
    const handler = idempotent(one, () => new Response(null, { status: statuses.shift() ?? 200 }));
    expect((await handler(request("k"))).status).toBe(500);
    expect((await handler(request("k"))).status).toBe(200);
    const throwing = idempotent(one, () => Promise.reject(new Error("out of order")));
    await expect(throwing(request("t"))).rejects.toThrow("out of order");
    expect((await idempotent(one, pay)(request("t"))).status).toBe(201);
  });

  it("says 409 when the first request takes longer than it waits, and 503 while the primary is away", async () => {
    const slow = idempotent(one, async (incoming) => {
      await sleep(300);
      return pay(incoming);
    });
    const first = slow(request("k"));
    await sleep(100);
    expect((await idempotent(two, pay, { wait: "20ms" })(request("k"))).status).toBe(409);
    expect((await first).status).toBe(201);
    server.fault("refuse");
    try {
      expect((await idempotent(two, pay)(request("new"))).status).toBe(503);
    } finally {
      server.fault(undefined);
    }
    expect(runs).toBe(1);
  });

  it("brings bytes back as they were", async () => {
    const bytes = Uint8Array.from([0xff, 0, 0xfe]);
    const handler = idempotent(one, () => new Response(bytes));
    await handler(request("k"));
    expect(new Uint8Array(await (await handler(request("k"))).arrayBuffer())).toEqual(bytes);
  });
});

it("a Hono middleware does the same", async () => {
  const middleware = honoIdempotent(one);
  const call = async () => {
    const context = { req: { raw: request("k") }, res: new Response("none", { status: 404 }) };
    const returned = await middleware(context, async () => {
      context.res = await pay(context.req.raw);
    });
    return returned ?? context.res;
  };
  expect(await (await call()).json()).toEqual({ amount: 7, run: 1 });
  expect(await (await call()).json()).toEqual({ amount: 7, run: 1 });
});

it("an Express middleware does the same, also for answers in pieces", async () => {
  const middleware = expressIdempotent<IncomingMessage & { originalUrl: string; method: string }, ServerResponse>(one);
  const app = createServer((incoming, response) => {
    const { url = "", method = "" } = incoming;
    const parsed = Object.assign(incoming, { originalUrl: url, method, body: { amount: 7 } });
    middleware(parsed, response, (error) => {
      expect(error).toBeUndefined();
      runs++;
      response.writeHead(201, { "x-run": String(runs) });
      response.write("one ");
      response.end(Buffer.from(`of ${runs}`));
    });
  });
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
  const { port } = app.address() as { port: number };
  const call = () => fetch(`http://127.0.0.1:${port}/pay`, { method: "POST", headers: { "idempotency-key": "k" } });
  for (const answer of [await call(), await call()]) {
    expect(answer.status).toBe(201);
    expect(answer.headers.get("x-run")).toBe("1");
    expect(await answer.text()).toBe("one of 1");
  }
  app.close();
  app.closeAllConnections();
});
