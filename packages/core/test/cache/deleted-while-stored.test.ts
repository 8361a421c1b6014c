import { Cache, type Command, type Reply, type Transport } from "@continuum-cache/core";
import { expect, it } from "vitest";

/** Answers at once, and remembers which writes it was given, in order. */
function orderedWrites(): Transport & { readonly writes: string[] } {
  const writes: string[] = [];
  const reply = ([name, ...args]: Command): Reply => {
    if (name === "MGET") return args.map(() => null);
    writes.push(name);
    return name === "SET" ? "OK" : 0;
  };
  return { name: "ordered", writes, send: async (commands) => commands.map(reply), close: async () => {} };
}

it("a delete that comes at any moment while a loaded value is being stored takes effect behind it", async () => {
  for (let turns = 0; turns < 40; turns++) {
    const transport = orderedWrites();
    const cache = new Cache({ transport });
    const loading = cache.getOrSet("k", () => "loaded");
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    if (turns % 2 === 1) await new Promise((resolve) => process.nextTick(resolve));
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await Promise.all([loading, cache.delete("k")]);
    expect([`after ${turns} turns`, transport.writes.at(-1)]).toEqual([`after ${turns} turns`, "DEL"]);
    await cache.close();
  }
});
