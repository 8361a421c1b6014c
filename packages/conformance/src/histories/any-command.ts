import type { Argument, Command } from "@continuum-cache/core";
import fc from "fast-check";
import {
  bytes,
  type CommandArbitrary,
  field,
  groupName,
  hashKey,
  key,
  listKey,
  streamId,
  streamKey,
  stringKey,
  value,
} from "./arguments.ts";
import { commandArbitraries, nameOf } from "./commands.ts";

/** How often a command is drawn beside the usual once. */
const weights: Readonly<Record<string, number>> = {
  ...{ FLUSHDB: 0.1, FLUSHALL: 0.1, PING: 0.3, ECHO: 0.3, PUBLISH: 0.3, RANDOMKEY: 0.5 },
  ...{
    SET: 4,
    GET: 3,
    HSET: 4,
    HGETALL: 3,
    RPUSH: 3,
    LPUSH: 3,
    LRANGE: 3,
    XADD: 8,
    XRANGE: 3,
    XGROUP: 4,
    XREADGROUP: 5,
    XCLAIM: 3,
    XAUTOCLAIM: 2,
    XPENDING: 2,
    XINFO: 2,
    EXPIRE: 2,
    TTL: 2,
    SCAN: 2,
  },
};

/**
 * No whole numbers among them: as a time they would let keys expire by chance, as a cursor Redis may answer anything.
 */
const unexpected: fc.Arbitrary<Argument> = fc.constantFrom("x", "", "1.5", " 1", "héllo", "NX", "COUNT");

const without = ([name, ...args]: Command, position: number): Command => {
  const at = args.length === 0 ? 0 : position % args.length;
  return [name, ...args.filter((_, index) => index !== at)];
};

/** What a history may hold. */
export interface CommandChoice {
  /** Whether there are bytes that are no text. */
  readonly withBytes: boolean;
  /** Which commands, by upper-case name. */
  readonly only: (name: string) => boolean;
}

/** Commands as people and programs send them: mostly right, some with an argument too few, too many or unexpected. */
export function anyOf({ withBytes, only }: CommandChoice): CommandArbitrary {
  const chosen = Object.entries(commandArbitraries).filter(([name]) => only(name));
  const anyCommand: CommandArbitrary = fc.oneof(
    ...chosen.map(([name, arbitrary]) => ({ weight: (weights[name] ?? 1) * 10, arbitrary })),
  );
  const mistaken = fc.oneof(
    fc.tuple(anyCommand, fc.nat(5)).map(([right, position]) => without(right, position)),
    fc.tuple(anyCommand, value).map(([right, extra]): Command => [...right, extra]),
    fc.tuple(anyCommand, fc.nat(5), unexpected).map(([right, position, odd]): Command => {
      const [name, ...args] = right;
      return [name, ...args.map((arg, at) => (at === position ? odd : arg))];
    }),
    anyCommand.map(([name, ...args]): Command => [name.toLowerCase(), ...args]),
    key.map((name): Command => ["NO-SUCH-COMMAND", name]),
  );
  const binary = [
    fc.tuple(stringKey, bytes).map(([name, data]): Command => ["SET", name, data]),
    fc.tuple(stringKey, bytes).map(([name, data]): Command => ["APPEND", name, data]),
    fc.tuple(hashKey, field, bytes).map(([name, at, data]): Command => ["HSET", name, at, data]),
    fc.tuple(listKey, bytes).map(([name, data]): Command => ["RPUSH", name, data, "text"]),
    fc.tuple(listKey, bytes).map(([name, data]): Command => ["LREM", name, 0, data]),
    fc.tuple(streamKey, streamId, bytes).map(([name, id, data]): Command => ["XADD", name, id, data, data]),
    fc.tuple(streamKey, bytes).map(([name, data]): Command => ["XGROUP", "CREATE", name, data, 0]),
    fc
      .tuple(streamKey, groupName, bytes)
      .map(([name, group, data]): Command => ["XREADGROUP", "GROUP", group, data, "STREAMS", name, ">"]),
  ].flatMap((arbitrary) => (only(nameOf(arbitrary)) ? [arbitrary] : []));
  return fc.oneof(
    { weight: 85, arbitrary: anyCommand },
    { weight: 10, arbitrary: mistaken },
    ...(withBytes && binary.length > 0 ? [{ weight: 5, arbitrary: fc.oneof(...binary) }] : []),
  );
}
