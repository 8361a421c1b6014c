import type { Command } from "@continuum-cache/core";
import { compileGlob, createWriteLedger, isRepeatableTrip, RoundTrip } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

/** A ledger whose entries end and are asked by methods. */
function createLedger() {
  const sent = createWriteLedger();
  return {
    enter(commands: readonly Command[], invalidates: readonly string[] = []) {
      const trip = new RoundTrip(commands, { invalidates }, 5_000);
      sent.add(trip);
      return {
        succeeded: () => sent.succeeded(trip),
        failed: () => sent.failed(trip),
        replacedSince: () => sent.replacedSince(trip, compileGlob),
        writtenSince: () => sent.writtenSince(trip),
      };
    },
  };
}

describe("sent trips", () => {
  it("tell which keys later trips have replaced, once those are back", () => {
    const sent = createLedger();
    const first = sent.enter([["SET", "a", 1]]);
    const second = sent.enter([
      ["DEL", "a", "b"],
      ["GET", "c"],
    ]);
    expect(first.replacedSince().isEmpty).toBe(true);
    expect(["a", "b", "c"].map(first.writtenSince().has)).toEqual([true, true, false]);
    second.succeeded();
    expect(["a", "b", "c"].map(first.replacedSince().has)).toEqual([true, true, false]);
    expect(sent.enter([["GET", "a"]]).replacedSince().isEmpty).toBe(true);
  });

  it("do not count one that failed, nor one that came back before this was sent", () => {
    const sent = createLedger();
    const hanging = sent.enter([["GET", "x"]]);
    sent.enter([["DEL", "early"]]).succeeded();
    const trip = sent.enter([["SET", "early", 1]]);
    sent.enter([["DEL", "lost"]]).failed();
    expect(trip.writtenSince().isEmpty).toBe(true);
    expect(hanging.replacedSince().has("early")).toBe(true);
  });

  it("distinguish replaced keys from changed keys", () => {
    const sent = createLedger();
    const trip = sent.enter([["SET", "a", 1]]);
    sent
      .enter([
        ["INCR", "n"],
        ["SET", "maybe", 1, "NX"],
        ["GETDEL", "b"],
        ["MSET", "c", 1, "d", 2],
      ])
      .succeeded();
    const keys = ["n", "maybe", "b", "c", "d"];
    expect(keys.map(trip.replacedSince().has)).toEqual([false, false, true, true, true]);
    expect(keys.map(trip.writtenSince().has)).toEqual([true, true, true, true, true]);
  });

  it("count keys as replaced that a SCAN by pattern may have missed", () => {
    const sent = createLedger();
    const store = sent.enter([["SET", "query:1", 1]]);
    sent.enter([["SCAN", "0", "MATCH", "query:*"]], ["query:*"]).succeeded();
    expect(["query:1", "session:1"].map(store.replacedSince().has)).toEqual([true, false]);
    expect(store.writtenSince().has("query:1")).toBe(true);
  });

  it("count keys as possibly written that start like a pattern deleted since", () => {
    const sent = createLedger();
    const store = sent.enter([["SET", "query:1", 1]]);
    sent.enter([["SCAN", "0", "MATCH", "query:*:old"]], ["query:*:old"]).succeeded();
    const keys = ["query:1", "query:1:old", "session:1"];
    expect(keys.map(store.writtenSince().has)).toEqual([true, true, false]);
    expect(keys.map(store.replacedSince().has)).toEqual([false, true, false]);
  });

  it("take a command on the whole database for one on every key", () => {
    const sent = createLedger();
    const trip = sent.enter([["SET", "a", 1]]);
    sent.enter([["FLUSHDB"]]).succeeded();
    expect(trip.replacedSince().has("anything")).toBe(true);
  });

  it("remember no more than a thousand behind one that hangs, the latest", () => {
    const sent = createLedger();
    const hanging = sent.enter([["GET", "x"]]);
    for (let at = 0; at < 50_000; at++) sent.enter([["SET", `k${at}`, at]]).succeeded();
    expect(hanging.replacedSince().has("k49999")).toBe(true);
    expect(hanging.replacedSince().has("k0")).toBe(false);
    hanging.failed();
    sent.enter([["PING"]]).succeeded();
    expect(sent.enter([["GET", "x"]]).replacedSince().isEmpty).toBe(true);
  });
});

describe("a trip that may arrive twice", () => {
  it.each([
    {
      commands: [
        ["SET", "a", 1],
        ["GET", "a"],
      ],
      may: true,
    },
    {
      commands: [
        ["GET", "a"],
        ["SET", "b", 1],
      ],
      may: true,
    },
    {
      commands: [
        ["GET", "a"],
        ["SET", "a", 1],
      ],
      may: false,
    },
    {
      commands: [
        ["MGET", "x", "a"],
        ["GET", "b"],
        ["MSET", "c", 1, "a", 2],
      ],
      may: false,
    },
    { commands: [["GET", "a"], ["FLUSHDB"]], may: false },
    { commands: [["DBSIZE"], ["DEL", "a"]], may: false },
    { commands: [["INCR", "a"]], may: false },
  ] as const)("$commands: $may", ({ commands, may }) => {
    expect(isRepeatableTrip(commands)).toBe(may);
  });
});
