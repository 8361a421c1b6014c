import { closing, servers } from "@continuum-cache/fixtures";
import { describe, expect, it, vi } from "vitest";
import { type Gap, PubSub } from "../../src/index.ts";

const opened = closing();
const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 60_000, interval: 5 });

const keep = `redis.call("SET", "kept", redis.call("DUMP", KEYS[1]))`;
const putBack = `redis.call("RESTORE", KEYS[1], 0, redis.call("GET", "kept"), "REPLACE")`;
const history = "continuum-cache:history:c";

describe.each(servers)("a history whose end was lost, as by a failover to a replica that lagged ($name)", (backend) => {
  it("is noticed by its publisher: a new epoch begins, and whoever resumes is told", async () => {
    const server = opened(await backend.open());
    const [publisher, subscriber] = [0, 1].map(() => opened(new PubSub({ transport: server.connect() })));
    const publish = (data: number) => publisher?.publish("c", data, { replay: true });
    for (let data = 0; data < 3; data++) await publish(data);
    await server.redis?.command("EVAL", keep, 1, history);
    const last = await publish(3);
    const older = await publish(4);
    await server.redis?.command("EVAL", putBack, 1, history);
    const next = await publish(5);
    expect(next?.position?.epoch).toBeGreaterThan(older?.position?.epoch as number);

    const seen: unknown[] = [];
    const gaps: Gap[] = [];
    await subscriber?.subscribe("c", {
      replay: true,
      after: last?.position as NonNullable<typeof last>["position"] & object,
      onMessage: ({ data }) => void seen.push(data),
      onGap: (gap) => void gaps.push(gap),
    });
    await until(() => seen.includes(5));
    expect(gaps.some(({ reason, missed }) => reason === "lost" && missed === undefined)).toBe(true);
  });

  it("is noticed by a subscriber that has read what is there no more, whoever writes it anew", async () => {
    const server = opened(await backend.open());
    const [publisher, other, subscriber] = [0, 1, 2].map(() => opened(new PubSub({ transport: server.connect() })));
    const seen: unknown[] = [];
    const gaps: Gap[] = [];
    subscriber?.on("gap", (gap) => gaps.push(gap));
    await subscriber?.subscribe("c", { replay: true, onMessage: ({ data }) => void seen.push(data) });
    for (let data = 0; data < 3; data++) await publisher?.publish("c", data, { replay: true });
    await server.redis?.command("EVAL", keep, 1, history);
    for (let data = 3; data < 5; data++) await publisher?.publish("c", data, { replay: true });
    await until(() => seen.length === 5);
    await server.redis?.command("EVAL", putBack, 1, history);
    const anew = Array.from({ length: 100 }, (_, index) => `new ${index}`);
    for (const data of anew) await other?.publish("c", data, { replay: true });
    await until(() => seen.length >= 105);
    expect(seen).toEqual([0, 1, 2, 3, 4, ...anew]);
    expect(gaps).toMatchObject([{ reason: "lost" }]);
  });
});
