import { expect, test } from "vitest";
import { createIdleTimes } from "../src/http/idle-times.ts";

interface Connection {
  open: boolean;
}

function held() {
  let nowMs = 1_000;
  const due: (() => void)[] = [];
  const idleTimes = createIdleTimes<Connection>({
    isOpen: ({ open }) => open,
    now: () => nowMs,
    later: (callback) => due.push(callback),
  });
  return {
    idleTimes,
    connect(): Connection {
      const connection = { open: true };
      idleTimes.rested(connection);
      return connection;
    },
    pass(ms: number) {
      nowMs += ms;
    },
    hear() {
      for (const callback of due.splice(0)) callback();
    },
  };
}

/** How long a connection may have been idle and still be steady, in milliseconds. */
function steadyForMs({ idleTimes, connect, pass }: ReturnType<typeof held>): number {
  const connection = connect();
  let ms = 0;
  for (; idleTimes.isSteady(connection); ms += 10) pass(10);
  return ms - 10;
}

test("nothing is known of a connection that has been idle for more than a moment", () => {
  expect(steadyForMs(held())).toBe(50);
});

test("a connection is steady for half the time that others were seen to stay open", () => {
  const all = held();
  const old = all.connect();
  all.pass(4_000);
  all.idleTimes.watch([old]);
  all.hear();
  expect(steadyForMs(all)).toBe(2_000);
});

test("one that turns out to be closed, though nothing of it was heard yet, proves nothing", () => {
  const all = held();
  const old = all.connect();
  all.pass(4_000);
  all.idleTimes.watch([old]);
  old.open = false;
  all.hear();
  expect(steadyForMs(all)).toBe(50);
});

test.each(["ended while it was idle", "lost a request"])("a connection that %s sooner takes that back", (how) => {
  const all = held();
  const old = all.connect();
  all.pass(4_000);
  all.idleTimes.watch([old]);
  all.hear();
  const early = all.connect();
  all.pass(1_000);
  if (how === "lost a request") all.idleTimes.lostAfter(all.idleTimes.taken(early));
  all.idleTimes.ended(early);
  expect(steadyForMs(all)).toBe(500);
});

test("a connection that ends while it serves says nothing about idle ones", () => {
  const all = held();
  const old = all.connect();
  all.pass(4_000);
  all.idleTimes.watch([old]);
  all.hear();
  expect(all.idleTimes.taken(old)).toBe(4_000);
  all.idleTimes.ended(old);
  expect(steadyForMs(all)).toBe(2_000);
});

test("a call every few seconds needs a second connection once, and keeps it", () => {
  const { idleTimes, connect, pass, hear } = held();
  const connections = [connect()];
  const opened: number[] = [];
  for (let call = 1; call <= 10; call++) {
    pass(5_000);
    idleTimes.watch(connections);
    const last = connections.at(-1);
    if (last && idleTimes.isSteady(last)) {
      idleTimes.taken(last);
      idleTimes.rested(last);
    } else {
      opened.push(call);
      connections.push(connect());
    }
    hear();
  }
  // The second call does not know yet what the first one has seen; from then on the second connection serves.
  expect(opened).toEqual([1, 2]);
});
