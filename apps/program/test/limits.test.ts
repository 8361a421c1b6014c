import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProgram, type Program } from "../src/index.ts";
import { limits } from "../src/limits.ts";
import { knowledge } from "./empty-knowledge.ts";

describe.each(["memory", "REST"])("a visitor who asks in a loop (limits in %s)", (kind) => {
  const opened: { close(): Promise<void> }[] = [];
  let program: Program;
  beforeAll(async () => {
    const local = kind === "REST" ? await startUpstashLocal({ port: 0, token: "local" }) : undefined;
    const where = local ? { restUrl: local.url, restToken: "local" } : { mode: "local" as const };
    const cache = new UpstashCache({ ...where, env: {} });
    opened.push(cache, ...(local ? [local] : []));
    program = createProgram({ cache, knowledge, server: undefined });
  });
  afterAll(async () => {
    for (const one of opened) await one.close();
  });
  const invalidate = (client: string) =>
    program.request(
      "/api/invalidate",
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ pattern: "query:*" }),
      },
      { client },
    );

  it("must wait, and other visitors need not", async () => {
    for (let count = 0; count < limits.invalidate.limit; count++) {
      expect((await invalidate("203.0.113.7")).status).toBe(200);
    }
    const refused = await invalidate("203.0.113.7");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await invalidate("203.0.113.8")).status).toBe(200);
    const stats = await (await program.request("/api/stats")).json();
    expect(stats).toMatchObject({ watch: { limited: 1 } });
  });
});
