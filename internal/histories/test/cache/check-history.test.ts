import { describe, expect, it } from "vitest";
import { checkHistory } from "../../src/cache/check-history.ts";
import type { Violation } from "../../src/cache/violation.ts";
import {
  added,
  counted,
  deleted,
  failed,
  found,
  invalidated,
  listed,
  loaded,
  pushed,
  type Told,
  tell,
  wrote,
} from "./told-history.ts";

const violationsOf = (told: Told): readonly Violation[] => checkHistory(tell(told)).violations;
const kindsOf = (told: Told): string[] => violationsOf(told).map(({ kind }) => kind);

/** Each rule with histories that break it, and with histories that look much the same and are legal. */
const cases: Record<string, { readonly objects: Record<string, Told>; readonly accepts: Record<string, Told> }> = {
  resurrection: {
    objects: {
      "a process reads what it has deleted in an outage, once the primary is back": {
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 10, 20, wrote("v")],
          [0, 120, 121, deleted()],
          [0, 300, 310, found("v")],
        ],
      },
      "a process reads what it has deleted in an outage, still in the outage": {
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 110, 111, wrote("v")],
          [0, 120, 121, deleted()],
          [0, 130, 131, found("v")],
        ],
      },
      "another process reads it after the deleting process has told the primary": {
        outages: { 0: [[100, 200]] },
        calls: [
          [1, 10, 20, wrote("v")],
          [0, 120, 121, deleted()],
          [1, 210, 220, found("v")],
        ],
      },
      "the pattern covered the key": {
        outages: { 0: [[100, 200]] },
        calls: [
          [1, 10, 20, wrote("v", "a:1")],
          [0, 120, 121, invalidated("a:*")],
          [1, 210, 220, found("v", "a:1")],
        ],
      },
      "it stands there at the very end": {
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 110, 111, wrote("v")],
          [1, 210, 220, deleted()],
        ],
        finals: [found("v")],
      },
      "the delete was made while the value was loaded": {
        calls: [
          [0, 10, 80, [loaded("v", 20, 60), found("v")]],
          [0, 30, 40, deleted()],
          [0, 90, 95, found("v")],
        ],
      },
      "one pipeline wrote and deleted": {
        calls: [
          [0, 10, 20, [wrote("v"), deleted()]],
          [0, 30, 40, found("v")],
        ],
      },
    },
    accepts: {
      "another process reads it before the primary was told": {
        outages: { 0: [[100, 200]] },
        calls: [
          [1, 10, 20, wrote("v")],
          [0, 120, 121, deleted()],
          [1, 190, 205, found("v")],
        ],
      },
      "another process, still local, has it in its own memory": {
        outages: { 0: [[100, 200]], 1: [[100, 400]] },
        calls: [
          [1, 110, 111, wrote("v")],
          [0, 120, 121, deleted()],
          [1, 250, 251, found("v")],
        ],
      },
      "the write was kept by another process, and confirmed only after the delete began": {
        outages: { 1: [[100, 200]] },
        calls: [
          [1, 110, 111, wrote("v")],
          [0, 190, 195, deleted()],
          [0, 210, 220, found("v")],
        ],
      },
      "write and delete were under way together": {
        calls: [
          [0, 10, 30, wrote("v")],
          [0, 20, 40, deleted()],
          [0, 50, 60, found("v")],
        ],
      },
      "the read began before the delete was over": {
        calls: [
          [0, 10, 20, wrote("v")],
          [0, 30, 50, deleted()],
          [0, 40, 60, found("v")],
        ],
      },
      "the delete was rejected": {
        calls: [
          [0, 10, 20, wrote("v")],
          [0, 30, 40, deleted(), { ...failed(), insists: true }],
          [0, 50, 60, found("v")],
        ],
      },
      "the write was rejected, and so may come late": {
        calls: [
          [0, 10, 20, wrote("v"), { ...failed(), insists: true }],
          [0, 30, 40, deleted()],
          [0, 50, 60, found("v")],
        ],
      },
      "the loader began after the delete": {
        calls: [
          [0, 10, 80, [loaded("v", 40, 60), found("v")]],
          [0, 20, 30, deleted()],
          [0, 90, 95, found("v")],
        ],
      },
      "the pattern covers other keys": {
        calls: [
          [1, 10, 20, wrote("v", "b:1")],
          [0, 30, 40, invalidated("a:*")],
          [1, 50, 60, found("v", "b:1")],
        ],
      },
      "it was written again under another value": {
        calls: [
          [0, 10, 20, wrote("v")],
          [0, 30, 40, deleted()],
          [1, 50, 60, wrote("w")],
          [0, 70, 80, found("w")],
        ],
      },
    },
  },

  phantom: {
    objects: {
      "no client wrote the value": { calls: [[0, 10, 20, found("v")]] },
      "it was written to another key": {
        calls: [
          [0, 10, 20, wrote("v", "other")],
          [0, 30, 40, found("v")],
        ],
      },
      "it was written only later": {
        calls: [
          [0, 10, 20, found("v")],
          [0, 30, 40, wrote("v")],
        ],
      },
      "it was written only later in the same transaction": { calls: [[0, 10, 20, [found("v"), wrote("v")]]] },
      "a list holds what no client pushed": { calls: [[0, 10, 20, pushed("a")]], finals: [listed("a", "b")] },
    },
    accepts: {
      "its write was rejected": {
        calls: [
          [0, 10, 20, wrote("v"), { ...failed(), insists: true }],
          [1, 30, 40, found("v")],
        ],
      },
      "its write is still under way": {
        calls: [
          [0, 10, 40, wrote("v")],
          [1, 20, 30, found("v")],
        ],
      },
    },
  },

  lost: {
    objects: {
      "an acknowledged write is not there": {
        calls: [
          [0, 10, 20, wrote("v")],
          [1, 30, 40, found(null)],
        ],
      },
      "an older value stands in its place": {
        calls: [
          [0, 10, 20, wrote("old")],
          [0, 30, 40, wrote("new")],
          [1, 50, 60, found("old")],
        ],
      },
      "a write kept in an outage was never told": {
        outages: { 0: [[100, 200]] },
        calls: [[0, 110, 111, wrote("v")]],
        finals: [found(null)],
      },
      "the local backend forgets within the outage": {
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 110, 111, wrote("v")],
          [0, 120, 121, found(null)],
        ],
        finals: [found("v")],
      },
      "a server with AOF was killed in between": {
        calls: [[0, 10, 20, wrote("v")]],
        nemesis: [{ startUs: 30_000, endUs: 60_000, fault: "kill" }],
        finals: [found(null)],
      },
    },
    accepts: {
      "a client deleted it": {
        calls: [
          [0, 10, 20, wrote("v")],
          [1, 22, 25, deleted()],
          [1, 30, 40, found(null)],
        ],
      },
      "a delete was under way when it was written": {
        calls: [
          [1, 5, 15, deleted()],
          [0, 10, 20, wrote("v")],
          [1, 30, 40, found(null)],
        ],
      },
      "another write was under way": {
        calls: [
          [0, 10, 20, wrote("v")],
          [1, 15, 50, wrote("w")],
          [1, 60, 70, found("w")],
        ],
      },
      "a delete was rejected, and may have been done": {
        calls: [
          [0, 10, 20, wrote("v")],
          [1, 22, 25, deleted(), { ...failed(), insists: true }],
          [1, 30, 40, found(null)],
        ],
      },
      "a delete kept in an outage is told later": {
        outages: { 1: [[5, 35]] },
        calls: [
          [1, 7, 8, deleted()],
          [0, 10, 20, wrote("v")],
        ],
        finals: [found(null)],
      },
      "a reader that is local has not seen it": {
        outages: { 1: [[25, 200]] },
        calls: [
          [0, 10, 20, wrote("v")],
          [1, 30, 31, found(null)],
        ],
        finals: [found("v")],
      },
      "a kept write gave way to another's, which was deleted": {
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 110, 111, wrote("v")],
          [1, 120, 130, wrote("w")],
          [1, 300, 310, deleted()],
        ],
        finals: [found(null)],
      },
      "a kept write gave way to another's delete, of which its process had not heard": {
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 10, 20, found("old")],
          [1, 1, 5, wrote("old")],
          [1, 50, 60, deleted()],
          [0, 110, 111, wrote("v")],
        ],
        finals: [found(null)],
      },
      "a server without AOF forgot what its process had seen there, so its kept write gave way": {
        durable: false,
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 10, 20, wrote("old")],
          [0, 110, 111, wrote("v")],
        ],
        nemesis: [{ startUs: 30_000, endUs: 60_000, fault: "kill" }],
        finals: [found(null)],
      },
      "a server without AOF was killed in between": {
        durable: false,
        calls: [[0, 10, 20, wrote("v")]],
        nemesis: [{ startUs: 30_000, endUs: 60_000, fault: "kill" }],
        finals: [found(null)],
      },
    },
  },

  "replayed-over": {
    objects: {
      "a set made in an outage replaces what another wrote later": {
        outages: { 0: [[100, 300]] },
        calls: [
          [0, 110, 111, wrote("kept")],
          [1, 150, 160, wrote("newer")],
        ],
        finals: [found("kept")],
      },
    },
    accepts: {
      "it gave way": {
        outages: { 0: [[100, 300]] },
        calls: [
          [0, 110, 111, wrote("kept")],
          [1, 150, 160, wrote("newer")],
        ],
        finals: [found("newer")],
      },
      "the other's write was not later": {
        outages: { 0: [[100, 300]] },
        calls: [
          [1, 105, 120, wrote("other")],
          [0, 110, 111, wrote("kept")],
        ],
        finals: [found("kept")],
      },
      "the other's write was deleted before the replay": {
        outages: { 0: [[100, 300]] },
        calls: [
          [0, 110, 111, wrote("kept")],
          [1, 150, 160, wrote("newer")],
          [1, 170, 180, deleted()],
        ],
        finals: [found("kept")],
      },
      "the same process deleted the key in the outage, and then set it": {
        outages: { 0: [[100, 300]] },
        calls: [
          [0, 105, 106, deleted()],
          [0, 110, 111, wrote("kept")],
          [1, 150, 160, wrote("newer")],
        ],
        finals: [found("kept")],
      },
    },
  },

  counter: {
    objects: {
      "an acknowledged increment is missing": {
        calls: [
          [0, 10, 20, added(2)],
          [1, 10, 20, added(3)],
        ],
        finals: [counted(3)],
      },
      "one counts twice": { calls: [[0, 10, 20, added(2)]], finals: [counted(4)] },
      "one kept in an outage counts twice": {
        outages: { 0: [[100, 200]] },
        calls: [[0, 110, 111, added(2)]],
        finals: [counted(4)],
      },
    },
    accepts: {
      "all count once": {
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 110, 111, added(2)],
          [1, 10, 20, added(3)],
        ],
        finals: [counted(5)],
      },
      "one of unknown fate counts twice": {
        outages: { 0: [[100, 200]] },
        calls: [[0, 50, 110, added(2)]],
        finals: [counted(4)],
      },
      "one that was rejected counts": {
        calls: [[0, 10, 20, added(2), { ...failed(), insists: true }]],
        finals: [counted(2)],
      },
    },
  },

  list: {
    objects: {
      "a pushed value is missing": { calls: [[0, 10, 20, pushed("a", "b")]], finals: [listed("a")] },
      "a pushed value is there twice": { calls: [[0, 10, 20, pushed("a")]], finals: [listed("a", "a")] },
      "two pushes of one client are in the wrong order": {
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 110, 111, pushed("a")],
          [0, 120, 121, pushed("b")],
        ],
        finals: [listed("b", "a")],
      },
      "the values of one push are in the wrong order": {
        calls: [[0, 10, 20, pushed("a", "b")]],
        finals: [listed("b", "a")],
      },
    },
    accepts: {
      "pushes that were under way together are in any order": {
        calls: [
          [0, 10, 30, pushed("a")],
          [0, 20, 40, pushed("b")],
        ],
        finals: [listed("b", "a")],
      },
      "pushes of two clients are in any order": {
        calls: [
          [0, 10, 20, pushed("a")],
          [1, 30, 40, pushed("b")],
        ],
        finals: [listed("b", "a")],
      },
      "one of unknown fate is there twice, its first place in order": {
        outages: { 0: [[100, 200]] },
        calls: [
          [0, 50, 110, pushed("a")],
          [0, 120, 121, pushed("b")],
        ],
        finals: [listed("a", "b", "a")],
      },
      "one that was rejected is not there": {
        calls: [[0, 10, 20, pushed("a"), { ...failed(), insists: true }]],
        finals: [listed()],
      },
    },
  },

  untold: {
    objects: {
      "a write was kept and `pending` is 0": {
        outages: { 0: [[100, 400]] },
        calls: [[0, 110, 111, wrote("v"), { pending: 0 }]],
        finals: [found("v")],
      },
    },
    accepts: {
      "the client is about to come back": {
        outages: { 0: [[100, 120]] },
        calls: [[0, 110, 111, wrote("v"), { pending: 0 }]],
        finals: [found("v")],
      },
      "it only read": { outages: { 0: [[100, 400]] }, calls: [[0, 110, 111, found(null), { pending: 0 }]] },
    },
  },

  unrefused: {
    objects: {
      "the primary answers about a key of which it was yet to be told": {
        outages: { 0: [[100, 400]] },
        calls: [
          [0, 110, 111, wrote("v")],
          [0, 120, 130, found(null), { insists: true }],
        ],
        finals: [found("v")],
      },
      "a pattern that it was yet to be told of covers the key": {
        outages: { 0: [[100, 400]] },
        calls: [
          [0, 110, 111, invalidated("a:*")],
          [0, 120, 130, found(null, "a:1"), { insists: true }],
        ],
      },
    },
    accepts: {
      "it is about another key": {
        outages: { 0: [[100, 400]] },
        calls: [
          [0, 110, 111, wrote("v")],
          [0, 120, 130, found(null, "other"), { insists: true }],
        ],
        finals: [found("v")],
      },
      "it was refused": {
        outages: { 0: [[100, 400]] },
        calls: [
          [0, 110, 111, wrote("v")],
          [0, 120, 130, wrote("w"), { ...failed(), insists: true }],
        ],
        finals: [found("v")],
      },
      "something else was kept meanwhile, so it may have been told": {
        outages: { 0: [[100, 400]] },
        calls: [
          [0, 110, 111, wrote("v")],
          [0, 115, 116, wrote("w", "other")],
          [0, 120, 130, found("v"), { insists: true }],
        ],
        finals: [found("v"), found("w", "other")],
      },
      "the client came back meanwhile": {
        outages: { 0: [[100, 125]] },
        calls: [
          [0, 110, 111, wrote("v")],
          [0, 120, 130, found("v"), { insists: true }],
        ],
        finals: [found("v")],
      },
    },
  },

  unsettled: {
    objects: { "a client did not come back": { unsettled: [0] } },
    accepts: { "all came back": { outages: { 0: [[100, 200]] } } },
  },

  deadline: {
    objects: { "a call took far longer than it may": { calls: [[0, 10, 250, found(null)]] } },
    accepts: {
      "its process stood still meanwhile": { calls: [[0, 10, 250, found(null), { stalledMs: 100 }]] },
      "it took a little longer": { calls: [[0, 10, 150, found(null)]] },
    },
  },

  rejected: {
    objects: { "a call was rejected": { calls: [[0, 10, 20, deleted(), failed()]] } },
    accepts: {
      "it had insisted on the primary": { calls: [[0, 10, 20, deleted(), { ...failed(), insists: true }]] },
    },
  },
};

for (const [kind, { objects, accepts }] of Object.entries(cases)) {
  describe(`the checker, about "${kind}"`, () => {
    it.each(Object.entries(objects))("objects when %s", (_, told) => {
      expect(new Set(kindsOf(told))).toEqual(new Set([kind]));
    });
    it.each(Object.entries(accepts))("accepts that %s", (_, told) => {
      expect(violationsOf(told)).toEqual([]);
    });
  });
}

describe("the checker", () => {
  it("says which calls prove it, in words", () => {
    const [violation] = violationsOf({
      outages: { 0: [[100, 200]] },
      calls: [
        [1, 10, 20, wrote("v"), { operation: "set" }],
        [0, 120, 121, deleted(), { operation: "delete" }],
        [1, 210, 220, found("v"), { operation: "get" }],
      ],
    });
    expect(violation).toMatchObject({
      key: "k",
      calls: [{ operation: "set" }, { operation: "delete" }, { operation: "get" }],
      detail: [
        "k was v again in client 1's get #2 (upstash)",
        "though client 0's delete #1 (local) had deleted it after client 1's set #0 (upstash) wrote it",
      ].join(", "),
    });
  });

  it("objects to backends that do not alternate, and to a negative `pending`", () => {
    const history = tell({ outages: { 0: [[100, 200]], 1: [] } });
    const [first, second] = history.clients;
    if (!first || !second) throw new Error("Expected two clients");
    const { violations } = checkHistory({
      ...history,
      clients: [
        { ...first, changes: [...first.changes, ...first.changes.slice(1)] },
        { ...second, statuses: [{ atUs: 0, backend: "upstash", pending: -1 }] },
      ],
    });
    expect(violations).toMatchObject([
      { kind: "transition", detail: "client 0 went local→upstash after 2 changes" },
      { kind: "transition", detail: "client 1 had -1 mutations pending" },
    ]);
  });

  it("objects when a client says that it gave mutations up", () => {
    const recovery = { replayed: 1, superseded: 0, dropped: 2 };
    const violations = violationsOf({ outages: { 0: [[100, 200]] }, reports: { 0: { recovery, kept: 3 } } });
    expect(violations).toMatchObject([{ kind: "lost", detail: expect.stringContaining("gave up 2 mutations") }]);
  });

  it("counts what it can't decide, since a server without AOF may forget sums", () => {
    const told: Told = {
      durable: false,
      calls: [[0, 10, 20, added(2)]],
      nemesis: [{ startUs: 30_000, endUs: 60_000, fault: "kill" }],
      finals: [counted(0), listed()],
    };
    expect(checkHistory(tell(told))).toEqual({ violations: [], undecided: { counter: 1, list: 1 } });
  });
});

describe("a key that no client has named", () => {
  const key = { key: "h:of-others", before: "precious" };
  it("must be as it was", () => {
    expect(kindsOf({ bystanders: [{ ...key, after: null }] })).toEqual(["bystander"]);
    expect(kindsOf({ bystanders: [{ ...key, after: "another" }] })).toEqual(["bystander"]);
    expect(kindsOf({ bystanders: [{ ...key, after: "precious" }] })).toEqual([]);
  });

  it("may be forgotten by a server that forgets", () => {
    const nemesis = [{ startUs: 1, endUs: 2, fault: "kill" }];
    expect(kindsOf({ bystanders: [{ ...key, after: null }], nemesis, durable: false })).toEqual([]);
  });
});

describe("the report of a client", () => {
  const outages = { 0: [[100, 200]] } as const;
  const recovery = { replayed: 3, superseded: 1, dropped: 0 };
  it("must add up to what it has kept", () => {
    expect(kindsOf({ outages, reports: { 0: { recovery, kept: 4 } } })).toEqual([]);
    expect(kindsOf({ outages, reports: { 0: { recovery, kept: 5 } } })).toEqual(["report"]);
    expect(kindsOf({ outages, reports: { 0: { recovery: { ...recovery, replayed: 4 }, kept: 4 } } })).toEqual([
      "report",
    ]);
  });
});

describe("a refusal because the journal is full", () => {
  const calls = [
    [0, 10, 20, wrote("v"), failed("TransportError unreachable: The outage journal is full, so…")],
  ] satisfies Told["calls"];
  it("is for clients whose journal is small", () => {
    expect(kindsOf({ calls })).toEqual(["rejected"]);
    expect(kindsOf({ calls, schedule: "small-journal" })).toEqual([]);
  });
});

describe("a rejected call", () => {
  it("is excused where its own time was over", () => {
    expect(kindsOf({ calls: [[0, 10, 20, deleted(), failed("TransportError timeout", false)]] })).toEqual(["rejected"]);
    expect(kindsOf({ calls: [[0, 10, 20, deleted(), failed("TransportError timeout", true)]] })).toEqual([]);
  });
});

describe("a history on a machine that was too busy", () => {
  const late: Told = { calls: [[0, 10, 900, found(null)]], unsettled: [0] };
  it("leaves open what depends on time", () => {
    expect(kindsOf(late).sort()).toEqual(["deadline", "unsettled"]);
    for (const stallsMs of [{ 0: 40 }, { [-1]: 20 }]) {
      const verdict = checkHistory(tell({ ...late, stallsMs }));
      expect(verdict).toEqual({ violations: [], undecided: { deadline: 1, unsettled: 1 } });
    }
    expect(kindsOf({ ...late, stallsMs: { 0: 10, [-1]: 10 } }).sort()).toEqual(["deadline", "unsettled"]);
  });

  it("is judged by what does not", () => {
    const bystanders = [{ key: "h:of-others", before: "precious", after: null }];
    expect(kindsOf({ ...late, bystanders, stallsMs: { 0: 500 } })).toEqual(["bystander"]);
  });
});
