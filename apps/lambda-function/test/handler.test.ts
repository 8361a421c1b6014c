import type { APIGatewayProxyResult, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { describe, expect, it, vi } from "vitest";
import { createBackground } from "../src/background.ts";
import { createHandler } from "../src/handler.ts";
import { version1, version2 } from "./events.ts";

type Result = APIGatewayProxyResult & APIGatewayProxyStructuredResultV2;

const logged: string[] = [];
/** The requests that the program got, and its answers. */
function stage(answer: (request: Request) => Response | Promise<Response> = () => new Response("")) {
  const asked: { request: Request; client: string }[] = [];
  const background = createBackground((message) => logged.push(message));
  const handler = createHandler({
    background,
    fetch(request, client) {
      asked.push({ request: request.clone() as Request, client });
      return answer(request);
    },
  });
  const call = async (event: unknown, remainingMs = 3_000): Promise<Result> =>
    (await handler(event, { getRemainingTimeInMillis: () => remainingMs })) as Result;
  return { asked, background, call };
}

const versions = { "1.0": version1, "2.0": version2 } as const;

describe.each(["1.0", "2.0"] as const)("an event of payload format %s", (version) => {
  const event = versions[version];

  it("becomes the request of the client", async () => {
    const { asked, call } = stage();
    const headers = { "content-type": "application/json", "x-own": "1" };
    const cookies = ["a=1", "b=2"];
    await call(
      event({ method: "POST", path: "/api/x", query: "q=a+b&q=%C3%A9&r=", headers, cookies, body: '{"n":1}' }),
    );
    const [{ request, client } = { request: new Request("https://none"), client: "" }] = asked;
    const url = new URL(request.url);
    expect([request.method, url.host, url.pathname]).toEqual(["POST", "abc.lambda-url.eu-central-1.on.aws", "/api/x"]);
    expect([...url.searchParams]).toEqual([
      ["q", "a b"],
      ["q", "é"],
      ["r", ""],
    ]);
    expect(request.headers.get("cookie")).toBe("a=1; b=2");
    expect(request.headers.get("x-own")).toBe("1");
    expect(await request.json()).toEqual({ n: 1 });
    expect(client).toBe("203.0.113.7");
  });

  it("carries bytes; a GET has no body", async () => {
    const { asked, call } = stage();
    const bytes = new Uint8Array([0, 255, 193, 10]);
    const body = Buffer.from(bytes).toString("base64");
    await call(event({ method: "PUT", body, isBase64Encoded: true }));
    await call(event({ body: "ignored" }));
    expect(new Uint8Array((await asked[0]?.request.arrayBuffer()) ?? [])).toEqual(bytes);
    expect(asked[1]?.request.body).toBeNull();
  });

  it("gets status, headers and every cookie back; text as text, bytes as base64", async () => {
    const { call } = stage((request) => {
      const headers = new Headers({ "content-type": "application/json", "x-own": "1" });
      headers.append("set-cookie", "a=1; Path=/");
      headers.append("set-cookie", "b=2; Path=/");
      if (new URL(request.url).pathname === "/bytes") headers.set("content-type", "image/png");
      return new Response("é", { status: 201, headers });
    });
    const text = await call(event());
    expect([text.statusCode, text.body, text.isBase64Encoded]).toEqual([201, "é", false]);
    const told = { ...text.headers, ...text.multiValueHeaders };
    expect([told["x-own"]].flat()).toEqual(["1"]);
    const cookies = version === "2.0" ? text.cookies : text.multiValueHeaders?.["set-cookie"];
    expect(cookies).toEqual(["a=1; Path=/", "b=2; Path=/"]);
    const bytes = await call(event({ path: "/bytes" }));
    expect([bytes.isBase64Encoded, Buffer.from(bytes.body, "base64").toString()]).toEqual([true, "é"]);
  });
});

describe("the handler", () => {
  it("removes the name of a stage from the path", async () => {
    const { asked, call } = stage();
    for (const event of [
      version2({ path: "/healthz", stage: "prod" }),
      version1({ path: "/healthz", stage: "prod" }),
    ]) {
      await call(event);
    }
    expect(asked.map(({ request }) => new URL(request.url).pathname)).toEqual(["/healthz", "/healthz"]);
  });

  it("answers before the function's time is over", async () => {
    vi.useFakeTimers();
    try {
      const { call } = stage(() => new Promise(() => {}));
      const answer = call(version2(), 3_000);
      await vi.advanceTimersByTimeAsync(2_749);
      await vi.advanceTimersByTimeAsync(1);
      expect((await answer).statusCode).toBe(503);
    } finally {
      vi.useRealTimers();
    }
  });

  it("waits for work behind the answer, and logs what fails", async () => {
    const done: string[] = [];
    const { background, call } = stage(() => {
      background.waitUntil(new Promise<void>((resolve) => setTimeout(resolve, 20)).then(() => void done.push("told")));
      background.waitUntil(Promise.reject(new Error("not published")));
      return new Response("");
    });
    await call(version2());
    expect(done).toEqual(["told"]);
    expect(logged).toContain("Background work failed: not published");
  });

  it.each([
    ["a slash in the host", { headers: { host: "h/api/stats?x=" } }],
    ["credentials in the host", { headers: { host: "a@b" } }],
    ["a blank in the host", { headers: { host: "a b" } }],
    ["a port that is none", { headers: { host: "a:99999999" } }],
    ["a method that no request has", { method: "CONNECT" }],
    ["a line break in a header", { headers: { "x-own": "a\r\nb" } }],
    ["a header that is none", { headers: { "x own": "a" } }],
  ])("answers 400 for %s, in either format, without a call to the program", async (_, odd) => {
    for (const event of [version1(odd), version2(odd)]) {
      const { asked, call } = stage();
      const answer = await call(event);
      expect(answer.statusCode).toBe(400);
      const told = { ...answer.headers, ...answer.multiValueHeaders };
      expect([told["cache-control"]].flat()).toEqual(["no-store"]);
      expect(answer.body).not.toMatch(/api\/stats|a@b|TypeError/);
      expect(asked).toEqual([]);
    }
  });

  it("makes a request to exactly the host and the path of the event", async () => {
    const { asked, call } = stage();
    for (const path of ["//evil.example/api/stats", "/../../etc/passwd", "/%2e%2e/api"]) await call(version2({ path }));
    const urls = asked.map(({ request }) => new URL(request.url));
    expect(new Set(urls.map(({ host }) => host))).toEqual(new Set(["abc.lambda-url.eu-central-1.on.aws"]));
    expect(urls.map(({ pathname }) => pathname)).toEqual(["//evil.example/api/stats", "/etc/passwd", "/api"]);
  });

  it("counts by the address that the gateway saw, for any text of a visitor", async () => {
    const { asked, call } = stage();
    const headers = { "x-forwarded-for": "9.9.9.9", forwarded: "for=9.9.9.9" };
    for (const event of [version1({ headers }), version2({ headers })]) await call(event);
    expect(asked.map(({ client }) => client)).toEqual(["203.0.113.7", "203.0.113.7"]);
  });

  const loadBalancer = { httpMethod: "GET", path: "/", headers: { host: "x" }, requestContext: { elb: {} } };
  it.each([
    undefined,
    {},
    { Records: [{ body: "secret" }] },
    "text",
    loadBalancer,
    { ...version2(), requestContext: {} },
  ])("rejects %j without its content", async (event) => {
    const refused = stage().call(event);
    await expect(refused).rejects.toThrow(/Expected an event of an API Gateway .* or of a Function URL/);
    await expect(refused).rejects.not.toThrow(/secret/);
  });
});
