import { Agent, request } from "node:http";
import type { Site } from "../suite.ts";

type Address = Site["rest"];

const agent = new Agent({ keepAlive: true });

/** A POST by node:http on connections that are kept open, and its reply as it came. */
function post({ url, token }: Address, path: string, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    };
    const sent = request(url + path, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(JSON.parse(text)));
    });
    sent.on("error", reject).end(body);
  });
}

/** A limit for clients over REST: get and set of JSON. */
export interface HandHttp {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
}

interface Result<Value> {
  readonly result: Value;
}

const ttlSeconds = 300;
const parse = (text: string | null | undefined): unknown => JSON.parse(text ?? "null");

/** One request for each call. */
export const requestPerCall = (address: Address): HandHttp => ({
  async get(key) {
    const { result } = (await post(address, "/", JSON.stringify(["GET", key]))) as Result<string | null>;
    return parse(result);
  },
  set: (key, value) => post(address, "/", JSON.stringify(["SET", key, JSON.stringify(value), "EX", ttlSeconds])),
});

/** One request for all calls of a tick: an MGET of all gets, a pipeline of all sets. */
export function requestPerTick(address: Address): HandHttp {
  const get = perTick<string, unknown>(async (keys) => {
    const { result } = (await post(address, "/", JSON.stringify(["MGET", ...keys]))) as Result<(string | null)[]>;
    return result.map(parse);
  });
  const set = perTick<readonly unknown[], unknown>(
    async (commands) => (await post(address, "/pipeline", JSON.stringify(commands))) as unknown[],
  );
  return { get, set: (key, value) => set(["SET", key, JSON.stringify(value), "EX", ttlSeconds]) };
}

function perTick<Item, Reply>(send: (items: readonly Item[]) => Promise<Reply[]>): (item: Item) => Promise<Reply> {
  let items: Item[] = [];
  let replies: Promise<Reply[]> | undefined;
  return async (item) => {
    const index = items.push(item) - 1;
    replies ??= new Promise<void>((resolve) => process.nextTick(resolve)).then(() => {
      const collected = items;
      items = [];
      replies = undefined;
      return send(collected);
    });
    return (await replies)[index] as Reply;
  };
}
