import { isWellFormed } from "../text/text.ts";
import { isBytes, kindOfTypedArray } from "./msgpack-types.ts";
import { assertHoldable, placeOf, type ValueRules } from "./value-check.ts";

/** @throws CodecError for what does not come back from MessagePack as it was. */
export const assertMsgpackHolds = (value: unknown): void => assertHoldable(value, rules);

const rules: ValueRules = {
  codec: "msgpack",
  format: "MessagePack",
  refuse: (primitive) => (typeof primitive === "string" && !isWellFormed(primitive) ? halfCharacter : undefined),
  refuseField(field) {
    // A decoder that took it for a name like any other would write to the prototype.
    if (field === "__proto__") return "a field of that name";
    return isWellFormed(field) ? undefined : halfCharacter;
  },
  partsOf(value) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Date.prototype) return Number.isNaN((value as Date).getTime()) ? undefined : [];
    if (prototype === Map.prototype) return partsOfMap(value as Map<unknown, unknown>);
    if (prototype === Set.prototype) {
      return [...(value as Set<unknown>)].map((item, index) => [`.values()[${index}]`, item] as const);
    }
    return isBytes(value) || kindOfTypedArray(value) !== undefined ? [] : undefined;
  },
  advice: (_, what) =>
    what === halfCharacter
      ? "cut texts between whole characters"
      : "convert it to plain data, a Date, a Map, a Set or bytes",
};

const halfCharacter = "half a surrogate pair in a text, which UTF-8 can't carry";

function partsOfMap(map: Map<unknown, unknown>): (readonly [place: string, part: unknown])[] {
  return [...map].flatMap(([key, item], index) => [
    [`.keys()[${index}]`, key] as const,
    [typeof key === "string" ? placeOf(key) : `.values()[${index}]`, item] as const,
  ]);
}
