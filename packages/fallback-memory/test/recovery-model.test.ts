import { type Command, type Transport, TransportError } from "@continuum-cache/core";
import { deletePattern } from "@continuum-cache/core/kit";
import { type JournalStore, memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { isLongRun, runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { contents } from "./contents.ts";
import { switchable } from "./switchable.ts";

// One client, whose trips in an outage surely never arrive. Then the primary must end up, once it has been told, as if
// there had been no outage at all, however often it goes away again while it is being told and whether or not it had
// done what it gave no answer to.

const key = (prefix: string) => fc.integer({ min: 0, max: 2 }).map((id) => `${prefix}:${id}`);
const item = fc.integer({ min: 0, max: 999 }).map((number) => `v${number}`);
const field = fc.constantFrom("f", "g");
const small = fc.integer({ min: -9, max: 9 });
const keyOf = (...prefixes: string[]) => fc.oneof(...prefixes.map(key));
/** Differences and deletes. */
const differences = [
  fc.tuple(fc.constant("APPEND"), key("a"), item),
  fc.tuple(fc.constant("INCRBY"), key("n"), small),
  fc.tuple(fc.constant("DECR"), key("n")),
  fc.tuple(fc.constant("RPUSH"), key("l"), item, item),
  fc.tuple(fc.constant("LPUSH"), key("l"), item, item),
  fc.tuple(fc.constant("HSET"), key("h"), field, item),
  fc.tuple(fc.constant("HINCRBY"), key("hn"), field, small),
  fc.tuple(fc.constant("HDEL"), key("h"), field),
  fc.tuple(fc.constant("ZADD"), key("z"), small, field),
  fc.tuple(fc.constant("ZINCRBY"), key("zn"), small, field),
  fc.tuple(fc.constant("ZREM"), key("z"), field),
  fc.tuple(fc.constant("XADD"), key("x"), fc.constant("*"), field, item),
  fc.tuple(fc.constant("XADD"), key("x"), fc.constant("MAXLEN"), fc.constant(3), fc.constant("*"), field, item),
  fc.tuple(fc.constant("XTRIM"), key("x"), fc.constant("MAXLEN"), fc.constant(2)),
  fc.tuple(fc.constant("DEL"), keyOf("s", "a", "n", "l", "h", "hn", "z", "zn", "x")),
  fc.tuple(fc.constant("GETDEL"), key("s")),
  fc.tuple(fc.constant("PERSIST"), keyOf("s", "l")),
];
/** Whole values, and their ends. */
const values = [
  fc.tuple(fc.constant("SET"), key("s"), item),
  fc.tuple(fc.constant("SET"), key("s"), item, fc.constant("EX"), fc.integer({ min: 50_000, max: 90_000 })),
  fc.tuple(fc.constant("MSET"), key("s"), item, key("s"), item),
  fc.tuple(fc.constant("EXPIRE"), key("s"), fc.integer({ min: 50_000, max: 90_000 })),
  fc.tuple(fc.constant("PEXPIRE"), key("s"), fc.constant(1)),
];
const oneOf = (...commands: fc.Arbitrary<unknown[]>[]) => fc.oneof(...commands) as unknown as fc.Arbitrary<Command>;

/** An end that is given to what may or may not be there can't be kept exactly: here the key is sure to be there. */
type Ending = readonly [write: Command, afterMs: number];
const endings: readonly Ending[] = [
  [["INCR", "n:0"], 1],
  [["RPUSH", "l:0", "x"], 9_000_000],
];
/**
 * It comes in the middle of an outage: a process that has begun since does not know of it, so its differences make
 * the key anew.
 */
const endsMeanwhile: Ending = [["INCR", "n:0"], 500];
const commandsOf = (command: fc.Arbitrary<Command>, ends: readonly Ending[]) => {
  const withEnd = fc
    .constantFrom(...ends)
    .map(([write, ms]): Command[] => [write, ["PEXPIRE", write[1] as string, ms]]);
  return fc.array(fc.oneof({ weight: 9, arbitrary: command.map((one) => [one]) }, { weight: 1, arbitrary: withEnd }), {
    minLength: 1,
    maxLength: 5,
  });
};

type Step =
  | { readonly kind: "trip"; readonly commands: readonly Command[]; readonly atomic: boolean }
  | { readonly kind: "pattern"; readonly glob: string }
  | { readonly kind: "away" }
  | { readonly kind: "restart" }
  | { readonly kind: "back"; readonly fates: readonly ("done" | "lost" | "refused")[] };

const fates = fc.array(fc.constantFrom("done" as const, "lost" as const, "refused" as const), { maxLength: 12 });
const stepsOf = (
  command: fc.Arbitrary<Command>,
  ends: readonly Ending[],
  ...kinds: Step["kind"][]
): fc.Arbitrary<Step[]> => {
  const trip = fc.record({
    kind: fc.constant("trip" as const),
    commands: commandsOf(command, ends).map((each) => each.flat()),
    atomic: fc.boolean(),
  });
  const pattern = fc.record({
    kind: fc.constant("pattern" as const),
    glob: fc.constantFrom("*", "s:*", "?:0", "l:[12]"),
  });
  const others = fc.oneof(
    ...kinds.map((kind) => (kind === "back" ? fc.record({ kind: fc.constant(kind), fates }) : fc.constant({ kind }))),
  ) as fc.Arbitrary<Step>;
  const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 11, arbitrary: trip },
    { weight: 1, arbitrary: pattern },
    { weight: 6, arbitrary: others },
  );
  return fc.array(step, { minLength: 5, maxLength: 40, size: "max" });
};

/** A store that outlives the transport, as a file does. */
function shelf(): JournalStore {
  let kept: Uint8Array[] = [];
  return {
    read: async () => [...kept],
    append: async (records) => void kept.push(...records),
    rewrite: async (records) => {
      kept = [...records];
    },
    close: async () => {},
  };
}

/** Runs the steps beside a memory that never went away, and compares what is left. */
async function expectNoTrace(steps: readonly Step[], store?: JournalStore): Promise<void> {
  const primary = switchable();
  const reference = memoryTransport();
  const processes: Process[] = [];
  const open = (): Transport => {
    const process = startProcess(primary, store);
    processes.push(process);
    return process.transport;
  };
  let transport = open();
  const isLocal = () => transport.status?.currentBackend === "local";
  let now: () => "done" | "lost" | "refused" = () => "done";
  primary.fate(() => now());

  for (const one of steps) {
    await vi.advanceTimersByTimeAsync(3);
    if (one.kind === "away") now = () => "refused";
    if (one.kind === "restart" && isLocal()) {
      processes.at(-1)?.kill();
      transport = open();
    }
    if (one.kind === "back") {
      const left = [...one.fates];
      // While it is being told only: a caller's own trips must not be lost half-way here.
      now = () => (isLocal() ? (left.shift() ?? "done") : "done");
      if (isLocal()) await vi.advanceTimersByTimeAsync(store ? 700 : 5_000);
      now = () => "done";
    }
    if (one.kind === "pattern") {
      const { glob } = one;
      await ended(deletePattern((commands) => transport.send(commands, { invalidates: [glob] }), glob, {}));
      await ended(deletePattern((commands) => reference.send(commands), glob, {}));
    }
    if (one.kind === "trip") {
      await ended(transport.send(one.commands, { atomic: one.atomic }));
      await ended(reference.send(one.commands, { atomic: one.atomic }));
    }
  }
  now = () => "done";
  await vi.advanceTimersByTimeAsync(2_000);
  expect(transport.status).toMatchObject({ currentBackend: "upstash", pending: 0 });
  expect(await ended(contents(primary.store))).toEqual(await ended(contents(reference)));
  await ended(Promise.all(processes.map((process) => process.transport.close())));
}

/**
 * Waits for a call that may pause between slices of its work. A pause that begins in a turn of the fake clock is due
 * one millisecond later; all others end while the clock stands still.
 */
async function ended<Value>(call: Promise<Value>): Promise<Value> {
  let isOver = false;
  const noteEnd = (): void => {
    isOver = true;
  };
  call.then(noteEnd, noteEnd);
  await vi.advanceTimersByTimeAsync(0);
  for (let waitedMs = 0; !isOver; waitedMs++) {
    // Every call has a deadline of some seconds.
    if (waitedMs > 60_000) throw new Error("Expected the call to end within a minute of the fake clock");
    await vi.advanceTimersByTimeAsync(1);
  }
  return call;
}

interface Process {
  readonly transport: Transport;
  /** From now on nothing that it sends reaches the primary or the store. */
  kill(): void;
}

function startProcess(primary: Transport, store: JournalStore | undefined): Process {
  let isAlive = true;
  const send: Transport["send"] = async (commands, options) => {
    if (!isAlive) throw new TransportError("closed", "killed", { transport: "killed" });
    return primary.send(commands, options);
  };
  const append = async (records: readonly Uint8Array[]) => (isAlive ? store?.append(records) : undefined);
  const rewrite = async (records: readonly Uint8Array[]) => (isAlive ? store?.rewrite(records) : undefined);
  const journal = store ? { store: { ...store, append, rewrite } } : {};
  return {
    transport: withFallback({ ...primary, send, close: async () => {} }, memoryTransport(), {
      healthCheckInterval: "100ms",
      journal,
    }),
    kill() {
      isAlive = false;
    },
  };
}

describe("the primary after an outage", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  it("is nothing: the primary ends up as if it had always been there", async () => {
    const steps = stepsOf(oneOf(...differences, ...values), [...endings, endsMeanwhile], "away", "away", "back");
    await fc.assert(
      fc.asyncProperty(steps, (each) => expectNoTrace(each)),
      runs(),
    );
  });

  it("survives the process where the journal has a store", async () => {
    // Who wrote a value last is not known to a process that has just begun, so whole values are left out here.
    const steps = stepsOf(oneOf(...differences), endings, "away", "away", "back", "restart");
    await fc.assert(
      fc.asyncProperty(steps, (each) => expectNoTrace(each, shelf())),
      runs(isLongRun ? 100 : 20),
    );
  });

  it("starts from nothing after a pattern of all keys, in the next process too", async () => {
    const trip = (...commands: Command[]): Step => ({ kind: "trip", commands, atomic: false });
    await expectNoTrace(
      [
        { kind: "away" },
        trip(["DECR", "n:1"], ["INCR", "n:0"], ["PEXPIRE", "n:0", 8]),
        { kind: "pattern", glob: "*" },
        trip(["APPEND", "a:0", "v0"]),
        trip(["INCRBY", "n:1", 0], ["INCR", "n:0"]),
        trip(["PERSIST", "l:0"]),
        { kind: "restart" },
        trip(["LPUSH", "l:0", "v0"]),
        { kind: "restart" },
      ],
      shelf(),
    );
  });
});
