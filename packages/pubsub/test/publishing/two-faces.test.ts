import { startRedisServer } from "@continuum-cache/conformance/servers";
import type { Reply, Transport } from "@continuum-cache/core";
import { runScript } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing, describeTwoFaces } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import fc from "fast-check";
import { expect, it } from "vitest";
import { beginScript } from "../../src/history/begin-script.ts";
import { appendScript } from "../../src/publishing/append-script.ts";

const opened = closing();

/** What a publisher sends, and what other programs do to the history. */
type Step =
  | {
      readonly do: "publish";
      readonly knows: "nothing" | "newest" | "oldest";
      readonly upkeep: boolean;
      readonly agedMs: number;
      readonly claims: number;
      readonly messages: number;
    }
  | { readonly do: "begin"; readonly agedMs: number }
  | { readonly do: "DEL" | "wreck" | "foreign" };

const key = "history";

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      knows: fc.constantFrom("nothing" as const, "newest" as const, "oldest" as const),
      upkeep: fc.boolean(),
      agedMs: fc.constantFrom(0, 0, 5_000, 20_000),
      claims: fc.constantFrom(-1, -1, -1, 0, 3),
      messages: fc.constantFrom(1, 1, 3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("begin" as const), agedMs: fc.constantFrom(1_000, 60_000) }) },
  { weight: 1, arbitrary: fc.constant({ do: "DEL" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "foreign" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "wreck" as const }) },
);

/** Replies in a form that two servers with clocks of their own share: epochs by the order in which they came. */
async function play(transport: Transport, steps: readonly Step[]): Promise<unknown[]> {
  const epochs: string[] = [];
  /** A beginning stands one millisecond before its epoch. */
  const nameOf = (id: string): string => {
    const [epoch = "", seq] = id.split("-");
    if (!epochs.includes(epoch)) epochs.push(epoch);
    return `${epochs.indexOf(epoch)}-${seq}`;
  };
  const seen: unknown[] = [];
  for (const [index, one] of steps.entries()) {
    if (one.do === "publish") {
      const known = one.knows === "nothing" ? "0" : ((one.knows === "newest" ? epochs.at(-1) : epochs[0]) ?? "0");
      const nowMs = one.agedMs === 0 ? 0 : Date.now() - one.agedMs;
      const args = [
        "c",
        known,
        1_000,
        one.upkeep ? 1 : 0,
        10_000,
        60_000,
        nowMs,
        one.claims,
        ...Array.from({ length: one.messages }, (_, at) => [`tag-${index}-${at}`, `text ${index} ${at}`]).flat(),
      ];
      const reply = await runScript(transport, appendScript, [key], args).catch(
        (error: Error) => error.message.split(" ")[0],
      );
      if (Array.isArray(reply)) {
        const [askedMs, ...answers] = reply as readonly Reply[];
        seen.push(Number(askedMs) > 0, ...answers.map((each) => (typeof each === "string" ? nameOf(each) : each)));
      } else seen.push(reply);
    } else if (one.do === "begin") {
      const [id, fields] = (await runScript(transport, beginScript, [key], [60_000, one.agedMs])) as [string, Reply[]];
      seen.push([nameOf(id), fields[0], fields[3]]);
    } else {
      await transport.send(
        one.do === "DEL"
          ? [["DEL", key]]
          : one.do === "foreign"
            ? [["XADD", key, "*", "some", "one else"]]
            : [
                ["DEL", key],
                ["SET", key, "no stream"],
              ],
      );
      if (one.do === "wreck")
        seen.push(
          await play(transport, [
            { do: "publish", knows: "newest", upkeep: false, agedMs: 0, claims: -1, messages: 2 },
          ]),
        );
      if (one.do === "wreck") await transport.send([["DEL", key]]);
    }
    const [entries, ttl] = await transport.send([
      ["XRANGE", key, "-", "+"],
      ["PTTL", key],
    ]);
    const isStream = Array.isArray(entries);
    const rows = ((isStream ? entries : []) as readonly (readonly [string, readonly Reply[]])[]).map(([id, fields]) => [
      nameOf(id),
      fields[3],
      fields[5],
    ]);
    seen.push(rows, Number(ttl) > 0);
    // Epochs are milliseconds: the next one must not be in the same.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return seen;
}

describeTwoFaces("the scripts of a history", {
  "beginnings, publishes and foreign changes": { step, maxSteps: 15, runs: 100, play },
});

it("both faces tell which message was refused, and publish those before it", async () => {
  const redis = opened(await startRedisServer());
  for (const transport of [opened(tcpTransport({ url: redis.url })), opened(memoryTransport())]) {
    // One more entry fits into the epoch.
    await transport.send([["XADD", "full", "7-18446744073709551614", "t", "1", "n", "tag", "d", "text"]]);
    const args = ["c", 7, 1_000, 0, 10_000, 60_000, 1, -1, "one", "1", "two", "2", "three", "3"];
    const [asked, id, receivers, refusal, ...more] = (await runScript(
      transport,
      appendScript,
      ["full"],
      args,
    )) as Reply[];
    expect([asked, id, receivers, more]).toEqual([0, "7-18446744073709551615", 0, []]);
    expect(refusal).toMatch(/^-ERR /);
  }
});
