import { ConfigError } from "@continuum-cache/core";
import {
  assertOptions,
  booleanOption,
  choiceOption,
  functionOption,
  type KnownOptions,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

interface SetOptions {
  readonly ttl?: number;
  readonly keepTtl?: boolean;
  readonly timeout?: number;
}
const known: KnownOptions<SetOptions> = { ttl: true, keepTtl: true, timeout: true };
const assertSet = (options: unknown) => () => assertOptions("cache.set", options as SetOptions, known);

describe("assertOptions", () => {
  it("accepts known options, none, and undefined", () => {
    for (const options of [undefined, {}, { ttl: 1 }, { ttl: undefined, timeout: 2 }]) assertSet(options)();
  });

  it.each([
    ["a misspelling", { tttl: 1 }, "Did you mean `ttl`?"],
    ["another case", { keepTTL: true }, "Did you mean `keepTtl`?"],
    ["another library's name", { ex: 60 }, "Did you mean `ttl`?"],
    ["a transposition", { tiemout: 1 }, "Did you mean `timeout`?"],
    ["something far from all", { somethingElse: 1 }, "Its options are ttl, keepTtl, timeout"],
    ["a name that every object inherits", { toString: 1 }, 'no option "toString"'],
    ["a number", 60, "got 60 (number)"],
    ["a text", "5m", 'got "5m"'],
    ["null", null, "got null"],
    ["an array", ["a"], "got an array"],
    ["a function", () => 1, "got a function"],
  ])("rejects %s", (_, options, message) => {
    expect(assertSet(options)).toThrow(ConfigError);
    expect(assertSet(options)).toThrow(message);
  });

  it("suggests nothing where nothing is near", () => {
    expect(assertSet({ somethingElse: 1 })).not.toThrow("Did you mean");
  });

  it("never prints the password of a URL, nor the beginning of a long one", () => {
    for (const password of ["canary", "canary".repeat(20), "canary@canary"]) {
      const url = `rediss://default:${password}@host:6379`;
      for (const attempt of [assertSet(url), () => choiceOption("mode", url, ["rest"])]) {
        expect(attempt).toThrow('got "rediss://…@host:6379"');
      }
    }
  });

  it("never prints the content of what came", () => {
    const message = [{ secret: "canary" }, ["canary"]].map((value) => {
      try {
        wholeNumberOption("size", value);
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(message.join()).not.toContain("canary");
    expect(message.join()).toContain("got an object");
  });
});

describe("wholeNumberOption and choiceOption", () => {
  it("return what is valid", () => {
    expect(wholeNumberOption("size", 3)).toBe(3);
    expect(wholeNumberOption("retries", 0, { min: 0 })).toBe(0);
    expect(choiceOption("from", "now", ["beginning", "now"])).toBe("now");
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "3", null, undefined, 1n])(
    "reject the size %s",
    (value) => {
      expect(() => wholeNumberOption("size", value)).toThrow(ConfigError);
      expect(() => wholeNumberOption("size", value)).toThrow(
        "Expected `size` to be a whole number of at least 1, got ",
      );
    },
  );

  it("name the range and the choices", () => {
    expect(() => wholeNumberOption("size", 11, { max: 10 })).toThrow("from 1 to 10, got 11");
    expect(() => choiceOption("from", "here", ["beginning", "now"])).toThrow('one of "beginning", "now", got "here"');
  });
});

describe("the readers of single options", () => {
  it("take what can be, and leave what is absent", () => {
    const listener = () => {};
    expect([booleanOption("on", true), booleanOption("on", false), booleanOption("on", undefined)]).toEqual([
      true,
      false,
      undefined,
    ]);
    expect([functionOption("listener", listener), functionOption("listener", undefined)]).toEqual([
      listener,
      undefined,
    ]);
  });

  it.each(["false", 0, null, {}])("reject what is neither true nor false: %j", (value) => {
    expect(() => booleanOption("fallback", value)).toThrow(/^Expected `fallback` to be true or false, got /);
    expect(() => functionOption("listener", value)).toThrow(/^Expected `listener` to be a function, got /);
  });

  it("name the closest of the words", () => {
    expect(() => choiceOption("event", "eror", ["error", "slow"])).toThrow('got "eror" (did you mean "error"?)');
    expect(() => choiceOption("event", 5, ["error", "slow"])).toThrow("got 5 (number)");
  });
});
