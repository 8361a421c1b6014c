import type { ServerResponse } from "node:http";
import { restTransport } from "@continuum-cache/transport-rest";
import { afterEach, describe, expect, test } from "vitest";
import { httpClients } from "./http-clients.ts";
import { answer, type Handler, startScriptedServer } from "./scripted-server.ts";

describe.each(httpClients)("read-your-writes through %s", (_, makeHttp) => {
  const open: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  async function start(handler: Handler, readYourWrites?: boolean) {
    const server = await startScriptedServer(handler);
    const rest = restTransport({
      url: server.url,
      token: "secret",
      http: makeHttp(),
      ...(readYourWrites === undefined ? {} : { readYourWrites }),
    });
    open.push(rest.close, server.close);
    const sent = () => server.seen.map(({ headers }) => headers["upstash-sync-token"]);
    return { rest, sent };
  }

  const numbered = (): Handler => {
    let count = 0;
    return (_seen, response) => answer(response, { result: 1 }, 200, { "upstash-sync-token": `t${++count}` });
  };

  test("each request carries the token of the answer before", async () => {
    const { rest, sent } = await start(numbered());
    for (let i = 0; i < 3; i++) await rest.send([["INCR", "a"]]);
    expect(sent()).toEqual(["", "t1", "t2"]);
  });

  test("the official client and the transport share it, and it can be handed over", async () => {
    const { rest, sent } = await start(numbered());
    await rest.send([["INCR", "a"]]);
    await rest.client.incr("a");
    await rest.send([["INCR", "a"]]);
    expect(rest.client.readYourWritesSyncToken).toBe("t3");
    rest.client.readYourWritesSyncToken = "from another instance";
    await rest.send([["INCR", "a"]]);
    expect(sent()).toEqual(["", "t1", "t2", "from another instance"]);
  });

  test("an answer that brings none keeps the last one", async () => {
    let count = 0;
    const { rest, sent } = await start((_seen, response) =>
      answer(response, { result: 1 }, 200, ++count === 1 ? { "upstash-sync-token": "t1" } : {}),
    );
    for (let i = 0; i < 3; i++) await rest.send([["INCR", "a"]]);
    expect(sent()).toEqual(["", "t1", "t1"]);
  });

  test("an answer that is overtaken does not move it backwards", async () => {
    const waiting: ServerResponse[] = [];
    const { rest, sent } = await start(({ json }, response) => {
      if ((json as string[])[1] === "slow") waiting.push(response);
      else answer(response, { result: 1 }, 200, { "upstash-sync-token": `after ${(json as string[])[1]}` });
    });
    const slow = rest.send([["INCR", "slow"]]);
    await expect.poll(() => waiting.length).toBe(1);
    await rest.send([["INCR", "fast"]]);
    for (const response of waiting) answer(response, { result: 1 }, 200, { "upstash-sync-token": "after slow" });
    await slow;
    await rest.send([["INCR", "last"]]);
    expect(sent()).toEqual(["", "", "after fast"]);
  });

  test("readYourWrites: false sends none", async () => {
    const { rest, sent } = await start(numbered(), false);
    for (let i = 0; i < 2; i++) await rest.send([["INCR", "a"]]);
    await rest.client.incr("a");
    expect(sent()).toEqual([undefined, undefined, undefined]);
  });
});
