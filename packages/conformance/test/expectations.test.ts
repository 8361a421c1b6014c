import {
  anyError,
  anyOrder,
  between,
  describeTransport,
  type Expected,
  errorWith,
  expectRejection,
  expectReply,
  textLike,
} from "@continuum-cache/conformance";
import { CommandError, type Transport, TransportError } from "@continuum-cache/core";
import { describe, expect, it } from "vitest";

describe("expectReply", () => {
  const error = new CommandError("WRONGTYPE some text");
  it.each<[unknown, Expected]>([
    ["a", "a"],
    [null, null],
    [
      ["a", [1, null]],
      ["a", [1, null]],
    ],
    [new Uint8Array([1, 255]), new Uint8Array([1, 255])],
    [error, new CommandError("WRONGTYPE other text")],
    [error, errorWith("WRONGTYPE", /some/)],
    [error, anyError],
    [5, between(5, 6)],
    [["b", "a", "a"], anyOrder(["a", "b", "a"])],
    [
      ["x", [7]],
      ["x", [between(1, 9)]],
    ],
    ["PONG", textLike(/^P/)],
  ])("accepts %o as %o", (actual, expected) => {
    expectReply(actual, expected);
  });

  it.each<[unknown, Expected, RegExp]>([
    ["1", 1, /expected 1, got "1"/],
    [undefined, null, /expected null, got undefined/],
    [["a", ["b"]], ["a", ["c"]], /at \[1\]\[0\]: expected "c", got "b"/],
    [["a"], ["a", "b"], /expected 2 element\(s\), got 1/],
    [new Uint8Array([1]), new Uint8Array([2]), /expected bytes\(02\), got bytes\(01\)/],
    ["\u0001", new Uint8Array([1]), /expected bytes\(01\)/],
    [error, new CommandError("ERR x"), /expected CommandError\(ERR x\), got CommandError\(WRONGTYPE/],
    ["OK", anyError, /expected a CommandError, got "OK"/],
    [error, errorWith("WRONGTYPE", /other/), /text like \/other\//],
    [7, between(5, 6), /from 5 to 6, got 7/],
    [["a", "a"], anyOrder(["a", "b"]), /element "b"/],
    [["a", "b"], anyOrder(["a"]), /no element "b"/],
  ])("objects to %o as %o, and says where", (actual, expected, message) => {
    expect(() => expectReply(actual, expected)).toThrow(message);
  });
});

describe("expectRejection", () => {
  it("wants a TransportError of the right kind", async () => {
    const timeout = new TransportError("timeout", "late", { transport: "t" });
    expect(await expectRejection(Promise.reject(timeout), "timeout")).toBe(timeout);
    await expect(expectRejection(Promise.reject(timeout), "closed")).rejects.toThrow(/kind "closed", got "timeout"/);
    await expect(expectRejection(Promise.resolve(["OK"]), "closed")).rejects.toThrow(/got the answer \["OK"\]/);
    await expect(expectRejection(Promise.reject(new Error("bare")), "closed")).rejects.toThrow(
      /TransportError, got Error: bare/,
    );
  });
});

describe("describeTransport", () => {
  const never = (): Transport => {
    throw new Error("not to be made");
  };
  const register = (skip: Record<string, string>, faults = false) => {
    const titles: string[] = [];
    const skipped: string[] = [];
    const runner = {
      describe: (_: string, body: () => void) => body(),
      it: Object.assign((title: string) => titles.push(title), { skip: (title: string) => skipped.push(title) }),
      afterAll: () => {},
    };
    const stall = { stall() {}, resume() {} };
    describeTransport("x", never, { ...runner, skip, ...(faults && { faults: stall }) });
    return { titles, skipped };
  };

  it("makes nothing before a test runs, and works with any describe and it", () => {
    expect(register({}).titles.length).toBeGreaterThan(80);
    expect(register({}, true).titles.length).toBeGreaterThan(register({}).titles.length);
  });

  it("shows the reason of a skip, by title and by need", () => {
    const { skipped } = register({ "bytes-anywhere": "text only", "takes command names in any case": "not yet" });
    expect(skipped).toContain("takes command names in any case (skipped: not yet)");
    expect(skipped.filter((title) => title.endsWith("(skipped: text only)"))).toHaveLength(2);
  });

  it("refuses a skip that names nothing, or gives no reason", () => {
    expect(() => register({ "no such case": "why" })).toThrow(/"no such case"/);
    expect(() => register({ "bytes-anywhere": " " })).toThrow(/written reason/);
  });
});
