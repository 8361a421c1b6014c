import { type Command, CommandError, type Reply, TransportError } from "@continuum-cache/core";
import { deletePattern } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

/** A server whose SCAN answers these pages, as far as their keys are there; it counts what it is asked for. */
function serverOf(
  pages: readonly (readonly string[])[],
  { isCluster = false, failsAt = Number.POSITIVE_INFINITY } = {},
) {
  const present = new Set(pages.flat());
  const trips: Command[][] = [];
  let unlinked = 0;
  const unlink = (keys: readonly string[]): Reply => {
    if (isCluster && keys.length > 1) return new CommandError("CROSSSLOT Keys in request don't hash to the same slot");
    const gone = keys.filter((key) => present.delete(key)).length;
    unlinked += gone;
    return gone;
  };
  const run = ([name, ...args]: Command): Reply => {
    if (name === "UNLINK") return unlink(args as string[]);
    const at = Number(args[0]);
    return [String((at + 1) % pages.length), (pages[at] ?? []).filter((key) => present.has(key))];
  };
  return {
    present,
    trips,
    unlinked: () => unlinked,
    async send(commands: readonly Command[]): Promise<Reply[]> {
      if (trips.length === failsAt) throw new TransportError("timeout", "No answer in time", { transport: "test" });
      trips.push([...commands]);
      return commands.map(run);
    },
  };
}

const named = (trips: readonly (readonly Command[])[], name: string): Command[] =>
  trips.flat().filter(([found]) => found === name);

/** Pages in which keys come twice, pages without any, and few keys or many. */
const pages = fc.array(
  fc.oneof(
    fc.array(fc.nat(200), { maxLength: 5 }),
    fc.tuple(fc.nat(5_000), fc.nat(1_100)).map(([from, length]) => Array.from({ length }, (_, more) => from + more)),
  ),
  { minLength: 1, maxLength: 60 },
);
const keysOf = (numbers: readonly (readonly number[])[]): string[][] =>
  numbers.map((page) => page.map((number) => `k${number}`));

describe("deletePattern", () => {
  it("deletes all keys that SCAN finds, and resolves to how many it deleted", async () => {
    await fc.assert(
      fc.asyncProperty(pages, fc.boolean(), async (numbers, isCluster) => {
        const server = serverOf(keysOf(numbers), { isCluster });
        const all = server.present.size;
        const told: { scanned: number; deleted: number }[] = [];
        const deleted = await deletePattern(server.send, "k*", { onProgress: (progress) => told.push(progress) });
        expect([deleted, server.present.size]).toEqual([all, 0]);
        expect(told.at(-1)?.deleted).toBe(all);
        expect(told.map((progress) => progress.deleted)).toEqual(
          told.map(({ deleted }) => deleted).sort((a, b) => a - b),
        );
      }),
      runs(),
    );
  });

  it("sends an UNLINK at 500 keys, or after eight SCAN steps, and holds no more keys", async () => {
    await fc.assert(
      fc.asyncProperty(pages, async (numbers) => {
        const server = serverOf(keysOf(numbers));
        await deletePattern(server.send, "k*", {});
        let held = 0;
        let waited = 0;
        for (const [index, [first, second]] of server.trips.entries()) {
          const isLast = index === server.trips.length - 1;
          const unlink = second ?? (first?.[0] === "UNLINK" ? first : undefined);
          if (unlink) {
            expect(unlink.length - 1).toBe(held);
            if (first !== unlink) expect(held >= 500 || waited === 8).toBe(true);
            [held, waited] = [0, 0];
          } else if (!isLast) {
            expect(held < 500 && waited < 8).toBe(true);
          }
          if (first?.[0] !== "SCAN") continue;
          held += foundBy(numbers, server.trips, index);
          if (held > 0) waited++;
        }
        expect(held).toBe(0);
        expect(named(server.trips, "SCAN")).toHaveLength(numbers.length);
      }),
      runs(),
    );
  });

  it("reports how many keys were deleted before an answer failed to come", async () => {
    await fc.assert(
      fc.asyncProperty(pages, fc.nat(70), async (numbers, failsAt) => {
        const server = serverOf(keysOf(numbers), { failsAt });
        let deleted = 0;
        const onProgress = (progress: { deleted: number }): void => {
          deleted = progress.deleted;
        };
        await deletePattern(server.send, "k*", { onProgress }).catch((error) => expect(error.kind).toBe("timeout"));
        expect(deleted).toBe(server.unlinked());
      }),
      runs(),
    );
  });
});

/**
 * How many keys the SCAN of this trip found: those that no trip before has deleted, nor the UNLINK of the trip
 * itself, which comes after.
 */
function foundBy(
  numbers: readonly (readonly number[])[],
  trips: readonly (readonly Command[])[],
  trip: number,
): number {
  const gone = new Set(
    trips
      .slice(0, trip)
      .flatMap((commands) => named([commands], "UNLINK"))
      .flatMap(([, ...keys]) => keys),
  );
  const cursor = Number(named([trips[trip] ?? []], "SCAN")[0]?.[1]);
  return (numbers[cursor] ?? []).filter((number) => !gone.has(`k${number}`)).length;
}
