import { describe, expect, it } from "vitest";
import { xxh3 } from "../src/digest/xxh3.ts";
import { onBothEngines } from "./engines.ts";
import { post } from "./raw-http.ts";

onBothEngines("conditional writes", (running) => {
  const run = async (...command: (string | number)[]) => {
    const { result, error } = (await post(running().server.url, "/", command)).json as Record<string, unknown>;
    return error ?? result;
  };

  it("SET with IFEQ and IFNE compares what is stored, and tells it with GET", async () => {
    expect(await run("SET", "k", "new", "IFEQ", "old")).toBeNull();
    expect(await run("SET", "k", "one", "IFNE", "old")).toBe("OK");
    expect(await run("SET", "k", "two", "IFEQ", "other")).toBeNull();
    expect(await run("SET", "k", "two", "ifeq", "other", "GET")).toBe("one");
    expect(await run("SET", "k", "two", "PX", 60_000, "IFEQ", "one", "GET")).toBe("one");
    expect(await run("PTTL", "k")).toBeGreaterThan(0);
    expect(await run("SET", "k", "three", "IFNE", "two")).toBeNull();
    expect(await run("SET", "k", "three", "IFEQ", "two", "KEEPTTL")).toBe("OK");
    expect(await run("PTTL", "k")).toBeGreaterThan(0);
    expect(await run("SET", "k", "four", "IFEQ", "three")).toBe("OK");
    expect(await run("PTTL", "k")).toBe(-1);
    expect(await run("GET", "k")).toBe("four");
  });

  it("SET with NX, GET and PX together answers what stood there, and sets where nothing did", async () => {
    expect(await run("SET", "k", "one", "NX", "GET", "PX", 60_000)).toBeNull();
    expect(await run("SET", "k", "two", "NX", "GET", "PX", 60_000)).toBe("one");
    expect(await run("GET", "k")).toBe("one");
  });

  it("DELEX deletes only where the condition holds", async () => {
    await run("SET", "k", "one");
    expect(await run("DELEX", "k", "IFEQ", "two")).toBe(0);
    expect(await run("DELEX", "k", "IFNE", "one")).toBe(0);
    expect(await run("DELEX", "k", "IFEQ", "one")).toBe(1);
    expect(await run("DELEX", "k", "IFNE", "one")).toBe(0);
    await run("SET", "k", "one");
    expect(await run("DELEX", "k")).toBe(1);
    expect(await run("EXISTS", "k")).toBe(0);
  });

  it("refuses what is no condition, and what is no string", async () => {
    await run("RPUSH", "list", "a");
    expect(await run("SET", "list", "b", "IFEQ", "a")).toMatch(/^WRONGTYPE/);
    expect(await run("DELEX", "list", "IFEQ", "a")).toBe(
      "ERR Key should be of string type if conditions are specified",
    );
    expect(await run("SET", "k", "b", "IFEQ")).toBe("ERR syntax error");
    expect(await run("SET", "k", "b", "NX", "IFEQ", "a")).toBe("ERR syntax error");
    expect(await run("SET", "k", "b", "IFEQ", "a", "IFNE", "b")).toBe("ERR syntax error");
  });

  it("a value that is named like an option is a value", async () => {
    await run("SET", "k", "GET");
    expect(await run("SET", "k", "IFEQ", "IFEQ", "GET")).toBe("OK");
    expect(await run("SET", "k", "x", "EX", 60, "IFEQ", "IFEQ")).toBe("OK");
    expect(await run("GET", "k")).toBe("x");
  });

  it("DIGEST is the XXH3 of the value", async () => {
    expect(await run("DIGEST", "k")).toBeNull();
    await run("SET", "k", "hello");
    expect(await run("DIGEST", "k")).toBe("9555e8555c62dcfd");
  });

  it("runs in a transaction", async () => {
    const { json } = await post(running().server.url, "/multi-exec", [
      ["SET", "k", "a"],
      ["SET", "k", "b", "IFEQ", "a"],
      ["DELEX", "k", "IFEQ", "b"],
    ]);
    expect(json).toEqual([{ result: "OK" }, { result: "OK" }, { result: 1 }]);
  });
});

describe("the digest", () => {
  const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 7 + 3) % 256);

  // From xxHash 0.8.1 (XXH3_64bits): one of each length that is computed in a way of its own.
  it.each([
    [0, "2d06800538d394c2"],
    [1, "13e608bc156defed"],
    [3, "a9088dda485b481c"],
    [4, "6d9253b16c8b1ed3"],
    [8, "60539db630471163"],
    [9, "feff668361d723a8"],
    [16, "b8c859b0f030b585"],
    [17, "714a04408e79b80f"],
    [33, "3e44983ad21679c8"],
    [128, "67425a03650261bf"],
    [129, "c664bf3311c6abc4"],
    [240, "64556dc6b462a6cf"],
    [241, "8beadd3a8874fe17"],
    [1_024, "9b81661c641c72b1"],
    [1_025, "806c2072ed713576"],
    [5_000, "799aaddd7339581d"],
  ])("of %i bytes is that of xxHash", (length, digest) => {
    expect(xxh3(bytes(length))).toBe(digest);
  });
});
