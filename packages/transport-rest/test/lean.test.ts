import { createHook } from "node:async_hooks";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { HttpClient } from "../src/index.ts";

/** A server in a thread of its own: what it makes is not counted here. */
const program = `
  const { createServer } = require("node:http");
  const { parentPort } = require("node:worker_threads");
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => { text += chunk; });
    request.on("end", () => {
      const command = JSON.parse(text);
      const value = Buffer.from("value").toString("base64");
      const reply = (words) => ({ result: words[0] === "MGET" ? words.slice(1).map(() => value) : words[0] === "SET" ? "OK" : value });
      const body = JSON.stringify(Array.isArray(command[0]) ? command.map(reply) : reply(command));
      response.writeHead(200, { "content-type": "application/json", "upstash-sync-token": "t1" });
      response.end(body);
    });
  });
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));`;

let worker: Worker;
let url: string;
beforeAll(async () => {
  worker = new Worker(program, { eval: true });
  const [port] = await once(worker, "message");
  url = `http://127.0.0.1:${port}`;
});
afterAll(() => worker.terminate());

interface Made {
  promises: number;
  timers: number;
  controllers: number;
  errors: number;
}

/** Loads the package with counting globals, and counts what each round of work makes. */
async function counting() {
  const made: Made = { promises: 0, timers: 0, controllers: 0, errors: 0 };
  const { AbortController: RealController, Error: RealError } = globalThis;
  class CountedController extends RealController {
    constructor() {
      super();
      made.controllers++;
    }
  }
  class CountedError extends RealError {
    constructor(...args: ConstructorParameters<typeof RealError>) {
      super(...args);
      made.errors++;
    }
  }
  vi.resetModules();
  vi.stubGlobal("AbortController", CountedController);
  vi.stubGlobal("Error", CountedError);
  const hook = createHook({
    init(_id, type) {
      if (type === "PROMISE") made.promises++;
      if (type === "Timeout") made.timers++;
    },
  });
  const { restTransport } = await import("../src/index.ts");
  return {
    open: (http?: HttpClient) => restTransport({ url, token: "secret", ...(http && { http }) }),
    /** What a call makes, without what the test needs to wait for it. */
    async made(work: () => Promise<unknown>): Promise<Made> {
      const measured = (call: () => Promise<unknown>): Promise<Made> =>
        new Promise((resolve, reject) => {
          Object.assign(made, { promises: 0, timers: 0, controllers: 0, errors: 0 });
          hook.enable();
          call().then(() => {
            hook.disable();
            resolve({ ...made });
          }, reject);
        });
      const later = new Promise((resolve) => setImmediate(resolve));
      const own = await measured(() => later);
      const all = await measured(work);
      return { ...all, promises: all.promises - own.promises };
    },
    restore: () => vi.unstubAllGlobals(),
  };
}

test.each<[string, readonly (readonly [string, ...string[]])[]]>([
  ["a read", [["MGET", "k"]]],
  ["a write", [["SET", "k", "v"]]],
  [
    "a pipeline",
    [
      ["SET", "k", "v"],
      ["MGET", "a", "b"],
      ["GET", "c"],
    ],
  ],
])(
  "on Node, %s on a warm connection makes few promises, one timer, no AbortController and no Error",
  async (_, commands) => {
    const count = await counting();
    const transport = count.open();
    try {
      for (let call = 0; call < 20; call++) await transport.send(commands);
      const made = await count.made(() => transport.send(commands));
      expect(made.promises).toBeLessThanOrEqual(5);
      expect(made).toMatchObject({ timers: 1, controllers: 0, errors: 0 });
    } finally {
      await transport.close();
      count.restore();
    }
  },
);

test("through fetch, a call makes one AbortController, which cancels the request, and no Error", async () => {
  const count = await counting();
  const body = JSON.stringify({ result: "OK" });
  // Of a platform: its own promises are not counted.
  const response = {
    status: 200,
    headers: new Headers({ "content-length": String(body.length) }),
    text: async () => body,
  };
  const { fetchHttp } = await import("../src/index.ts");
  const transport = count.open(fetchHttp(async () => response as unknown as Response));
  try {
    for (let call = 0; call < 20; call++) await transport.send([["SET", "k", "v"]]);
    const made = await count.made(() => transport.send([["SET", "k", "v"]]));
    expect(made).toMatchObject({ timers: 1, controllers: 1, errors: 0 });
    expect(made.promises).toBeLessThanOrEqual(13);
  } finally {
    await transport.close();
    count.restore();
  }
});
