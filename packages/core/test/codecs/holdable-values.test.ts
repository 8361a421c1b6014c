import { runInNewContext } from "node:vm";
import { CodecError, json } from "@continuum-cache/core";
import { compressed } from "@continuum-cache/core/compressed";
import { msgpack } from "@continuum-cache/core/msgpack";
import { describe, expect, it } from "vitest";

class Money {
  readonly #amount = 5;
  get value() {
    return this.#amount;
  }
}
class Point {
  readonly x = 1;
}
class List extends Array<unknown> {}
class Bytes extends Uint8Array {}

const circle: { list: unknown[] } = { list: [] };
circle.list.push(circle);
const nested = (levels: number, make: (inner: unknown) => unknown): unknown =>
  Array.from({ length: levels }).reduce(make, 1);
const revoked = Proxy.revocable({}, {});
revoked.revoke();

/** Each with the path and the kind of thing that the error names. */
const heldByNone: readonly (readonly [what: string, value: unknown, message: string])[] = [
  ["a Promise", { p: Promise.resolve(1) }, "a Promise (an `await` is missing) (at $.p)"],
  ["an Error", new Error("secret"), "an Error (at $)"],
  ["an error of a kind", [{ err: new TypeError("secret") }], "a TypeError (at $[0].err)"],
  ["a RegExp", { r: /secret/ }, "a RegExp (at $.r)"],
  ["an ArrayBuffer", new ArrayBuffer(4), "an ArrayBuffer (at $)"],
  ["a DataView", { v: new DataView(new ArrayBuffer(4)) }, "a DataView (at $.v)"],
  ["a URL", { u: new URL("http://secret/") }, "a URL (at $.u)"],
  ["URLSearchParams", new URLSearchParams("a=secret"), "a URLSearchParams (at $)"],
  ["Headers", new Headers({ a: "secret" }), "a Headers (at $)"],
  ["a Response", { nested: [new Response("secret")] }, "a Response (at $.nested[0])"],
  ["a WeakMap", new WeakMap(), "a WeakMap (at $)"],
  ["a generator", (function* () {})(), "(at $)"],
  ["a boxed number", { n: new Number(5) }, "a Number (at $.n)"],
  ["a boxed text", [new String("secret")], "a String (at $[0])"],
  ["an instance with private state", new Money(), "a Money (at $)"],
  ["an instance with fields", { point: new Point() }, "a Point (at $.point)"],
  ["an invalid Date", { d: new Date(Number.NaN) }, "an invalid Date (at $.d)"],
  ["undefined", undefined, "undefined (at $)"],
  ["undefined in an array", { user: { tags: ["a", "b", undefined] } }, "undefined (at $.user.tags[2])"],
  ["a hole in an array", new Array(3), "a hole (at $[0])"],
  ["a function", { on: () => 1 }, "a function (at $.on)"],
  ["a function in an array", [() => 1], "a function (at $[0])"],
  ["a symbol", { s: Symbol("secret") }, "a symbol (at $.s)"],
  ["a field named by a symbol", { a: { [Symbol("secret")]: 1 } }, "a field that is named by a symbol (at $.a)"],
  [
    "a getter",
    {
      get now() {
        return 1;
      },
    },
    "a getter (at $.now)",
  ],
  ["a toJSON method", { toJSON: () => 1 }, "a function (at $.toJSON)"],
  ["an array with more properties", { m: /b/.exec("abc") }, "an array with properties of its own (at $.m)"],
  ["an array of a class", List.of(1), "a List (at $)"],
  ["an object with a prototype of its own", Object.create({ inherited: 1 }), "a prototype of its own (at $)"],
  ["arguments", runInNewContext("(function () { return arguments; })(1)"), "(at $)"],
  ["bytes of a class", { b: Bytes.of(1) }, "binary data (at $.b)"],
  ["a circle", circle, "a circular reference (at $.list[0])"],
  ["101 levels of arrays", nested(101, (inner) => [inner]), "more than 100 levels"],
  ["100,000 levels of objects", nested(100_000, (inner) => ({ inner })), "more than 100 levels"],
  ["an object that can't be read", { a: revoked.proxy }, "Reading the value failed"],
  ["an odd field name", { "a b": { "": undefined, c: [undefined] } }, 'undefined (at $["a b"].c[0])'],
];

describe.each([json(), msgpack(), compressed(json()), compressed(msgpack())])("$name", (codec) => {
  it.each(heldByNone)("rejects %s, with its path and without its content", (_, value, message) => {
    let error: unknown;
    try {
      codec.encode(value);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CodecError);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain("secret");
  });

  it.each<[string, unknown]>([
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
    ["a frozen object", Object.freeze({ a: Object.freeze([1]) })],
    ["objects of another realm", runInNewContext("({ a: [1, { b: null }] })")],
    ["100 levels", nested(100, (inner) => [inner])],
    ["the same object twice", ((shared) => [shared, shared])({ a: 1 })],
    ["an empty object", {}],
    ["an empty array", []],
  ])("holds %s", (_, value) => {
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it("leaves out a field that is undefined", () => {
    expect(codec.decode(codec.encode({ a: undefined, b: 1 }))).toStrictEqual({ b: 1 });
  });

  it("takes -0 for 0", () => {
    expect(codec.decode(codec.encode(-0))).toBe(0);
  });
});

describe("the JSON codec", () => {
  it.each<[string, unknown, string]>([
    ["a Date", { at: new Date(0) }, "a Date (at $.at); store its toISOString(), or use the msgpack codec"],
    ["a Buffer", { rsc: Buffer.from("flight") }, "binary data (at $.rsc); convert it, or use the msgpack codec"],
    ["typed arrays", [Float32Array.of(1)], "binary data (at $[0])"],
    ["a Map", new Map([["a", 1]]), "a Map (at $); convert it, or use the msgpack codec"],
    ["a Set", { s: new Set() }, "a Set (at $.s)"],
    ["NaN", { n: Number.NaN }, "NaN (at $.n)"],
    ["-Infinity", [Number.NEGATIVE_INFINITY], "-Infinity (at $[0])"],
    ["a bigint", { b: 1n }, "a bigint (at $.b)"],
  ])("rejects %s, and says what to do", (_, value, message) => {
    expect(() => json().encode(value)).toThrow(`JSON can't hold ${message}`);
  });

  it("holds a text cut inside a surrogate pair, and a field named __proto__", () => {
    const value = { half: "\ud83d", ...JSON.parse('{"list":[{"__proto__":1,"a":2}]}') };
    expect(json().decode(json().encode(value))).toEqual(value);
    expect(Object.keys((json().decode(json().encode(value)) as { list: object[] }).list[0] as object)).toEqual([
      "__proto__",
      "a",
    ]);
  });
});

describe("the MessagePack codec", () => {
  it.each<[string, unknown, string]>([
    [
      "a field named __proto__",
      JSON.parse('{"list":[{"__proto__":1}]}'),
      "a field of that name (at $.list[0].__proto__)",
    ],
    [
      "half a character in a long text",
      { text: `${"x".repeat(500)}\ud83d` },
      "half a surrogate pair in a text, which UTF-8 can't carry (at $.text)",
    ],
    ["half a character in a field's long name", { [`${"x".repeat(500)}\ud83d`]: 1 }, "half a surrogate pair"],
    ["undefined in a Map", new Map([["a", undefined]]), "undefined (at $.a)"],
    ["undefined as a Map's key", new Map([[undefined, 1]]), "undefined (at $.keys()[0])"],
    ["undefined in a Set", { s: new Set([undefined]) }, "undefined (at $.s.values()[0])"],
    ["a Map that has properties", Object.assign(new Map(), { extra: 1 }), "a Map with properties of its own (at $)"],
    ["a Map of a class", new (class Cache extends Map {})(), "a Cache (at $)"],
    ["200 nested Maps", nested(200, (inner) => new Map([[1, inner]])), "more than 100 levels"],
  ])("rejects %s", (_, value, message) => {
    expect(() => msgpack().encode(value)).toThrow(message);
  });

  it("holds Maps and Sets in one another, with objects as keys, and a Buffer as the bytes it is", () => {
    const value = new Map<unknown, unknown>([[{ a: 1 }, new Set([new Map([[[1], new Date(1)]])])]]);
    expect(msgpack().decode(msgpack().encode(value))).toEqual(value);
    const bytes = msgpack().decode(msgpack().encode(Buffer.from("flight")));
    expect(bytes).toEqual(Uint8Array.from(Buffer.from("flight")));
  });
});
