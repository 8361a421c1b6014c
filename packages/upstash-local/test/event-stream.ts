import { once } from "node:events";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** An open stream of server-sent events. */
export interface EventStream {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** All that came so far. */
  text(): string;
  /** The `data: ` lines so far, without their prefix. */
  data(): string[];
  /** Resolves to the first `count` of them. */
  first(count: number): Promise<string[]>;
  /** Resolves when the stream has ended or broken. */
  readonly ended: Promise<void>;
  abort(): void;
}

export async function openStream(
  url: string,
  path: string,
  options: { method?: string; body?: string; token?: string; headers?: Record<string, string> } = {},
): Promise<EventStream> {
  const { method = "POST", body = "", token = "local", headers = {} } = options;
  const request: ClientRequest = httpRequest(`${url}${path}`, {
    method,
    agent: false,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  request.on("error", () => {});
  let text = "";
  response.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  response.on("error", () => {});
  const ended = new Promise<void>((resolve) => response.once("close", () => resolve()));
  const data = () =>
    text
      .split("\n")
      .filter((line) => line.startsWith("data: "))
      .map((line) => line.slice(6));
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: () => text,
    data,
    async first(count) {
      await until(
        () => data().length >= count,
        () => `Expected ${count} events, got ${JSON.stringify(data())}`,
      );
      return data().slice(0, count);
    },
    ended,
    abort: () => request.destroy(),
  };
}

/** Waits for a condition; fails with the message after ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>, message: () => string): Promise<void> {
  const givenUpAt = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > givenUpAt) throw new Error(message());
    await sleep(5);
  }
}
