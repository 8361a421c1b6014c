import { createRandom } from "@continuum-cache/conformance/servers";
import { describe, expect, it } from "vitest";
import { allVariants, createAgenda } from "../../src/cache/agenda.ts";
import { planLinks, planServer } from "../../src/cache/fault-plan.ts";
import { createProgram, keySpaceOf, type ProgramStep } from "../../src/cache/program.ts";

function stepsOf(seed: number, client: number, count = 500): ProgramStep[] {
  const program = createProgram("h:", seed, client);
  return Array.from({ length: count }, () => program.next().value);
}

describe("what a seed stands for", () => {
  it("is one program for each client", () => {
    expect(stepsOf(7, 0)).toEqual(stepsOf(7, 0));
    expect(stepsOf(7, 1)).not.toEqual(stepsOf(7, 0));
    expect(stepsOf(8, 0)).not.toEqual(stepsOf(7, 0));
  });

  it("is one plan of faults", () => {
    const plan = (seed: number) => [
      planLinks("relapse", createRandom(seed), 3),
      planServer("kill-relapse", createRandom(seed), []),
    ];
    expect(plan(7)).toEqual(plan(7));
    expect(plan(8)).not.toEqual(plan(7));
  });

  it("is one kind of history, whatever runs beside it", () => {
    const variants = allVariants(["tcp", "rest"]);
    const kinds = (order: readonly ("shared" | "single")[]) => {
      const agenda = createAgenda({ seed: 100, count: 200, variants, width: 4 });
      const seen = new Map<number, unknown>();
      for (const which of order) {
        for (let item = agenda.next(which); item; item = agenda.next(which)) {
          for (const seed of item.seeds) seen.set(seed, item.variant);
        }
      }
      return seen;
    };
    const all = kinds(["shared", "single"]);
    expect(all.size).toBe(200);
    expect(kinds(["single", "shared"])).toEqual(new Map(all));
  });
});

describe("a program", () => {
  it("writes each value once, and touches no key outside its history", () => {
    const text = JSON.stringify(stepsOf(3, 0).map(({ operation }) => operation));
    const values = [...text.matchAll(/"(v0\.\d+)"/g)].map(([, value]) => value);
    expect(new Set(values).size).toBe(values.length);
    const { families, counters, lists } = keySpaceOf("h:");
    const known = [...families.flatMap(({ glob, keys }) => [glob, ...keys]), ...counters, ...lists];
    expect([...new Set([...text.matchAll(/"(h:[^"]*)"/g)].map(([, key]) => key))].sort()).toEqual(known.sort());
  });

  it("uses every operation", () => {
    const names = new Set(stepsOf(3, 0).map(({ operation }) => operation.name));
    expect(names.size).toBe(12);
  });

  it("is a failover only over connections that reach the servers themselves", () => {
    const failovers = allVariants(["tcp", "rest"]).filter(({ schedule }) => schedule === "failover");
    expect(failovers).toEqual([{ connection: "tcp", schedule: "failover", durable: true }]);
  });
});
