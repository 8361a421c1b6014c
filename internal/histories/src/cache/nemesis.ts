import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, type FaultProxy, startFaultProxy } from "@continuum-cache/conformance/servers";
import type { LinkPlan } from "./fault-plan.ts";
import { type Action, nowUs } from "./history.ts";

/** Stands between the clients of one history and their server: each client has a link of its own. */
export interface Nemesis {
  /** Where each client connects to. */
  readonly ports: readonly number[];
  /** What was done so far. */
  readonly actions: readonly Action[];
  /** Does what was planned; everything passes when it is over. */
  run(plan: LinkPlan): Promise<void>;
  /** Waits until each client replays, and lets the fault meet that; gives up on clients that send nothing. */
  relapse(plan: NonNullable<LinkPlan["relapse"]>): Promise<void>;
  /** Calls back when the first client sends something about the history's keys. @returns what stops it. */
  onRequest(callback: () => void): () => void;
  /** New connections lead to another server from now on. */
  moveTo(port: number): void;
  /** Notes what was done to all from elsewhere. */
  note(action: Action): void;
  close(): Promise<void>;
}

/** How long a client may take to begin its replay. */
const replayWithinMs = 500;

/** @param prefix - What the history's keys begin with. */
export async function startNemesis(clients: number, port: number, prefix: string): Promise<Nemesis> {
  const links = await Promise.all(Array.from({ length: clients }, () => startFaultProxy({ port })));
  const actions: Action[] = [];

  const begin = (targets: readonly FaultProxy[], fault: Fault, breaks: boolean): (() => Action) => {
    const startUs = nowUs();
    for (const link of targets) link.set(fault);
    return () => {
      for (const link of targets) {
        link.set({ kind: "pass" });
        if (breaks) link.cut();
      }
      return { startUs, endUs: nowUs(), fault: fault.kind };
    };
  };

  return {
    ports: links.map((link) => link.port),
    actions,
    async run({ disturbances, lastsMs }) {
      await Promise.all([
        sleep(lastsMs),
        ...disturbances.map(async ({ atMs, forMs, fault, client, breaks }) => {
          await sleep(atMs);
          const end = begin(client === undefined ? links : links.slice(client, client + 1), fault, breaks);
          await sleep(forMs);
          actions.push({ ...end(), ...(client !== undefined && { client }) });
        }),
      ]);
      // Of two that overlapped on one link, the first to end has ended both.
      for (const link of links) link.set({ kind: "pass" });
    },
    async relapse({ fault, atRequest, forMs, breaks }) {
      await Promise.all(
        links.map(async (link, client) => {
          const begun = await new Promise<(() => Action) | undefined>((resolve) => {
            // The fault has to be there when the request goes on its way.
            const stop = onRequests(link, prefix, atRequest, () => resolve(begin([link], fault, breaks)));
            setTimeout(() => {
              stop();
              resolve(undefined);
            }, replayWithinMs);
          });
          if (!begun) return;
          await sleep(forMs);
          actions.push({ ...begun(), client, relapse: true });
        }),
      );
    },
    onRequest(callback) {
      const stops = links.map((link) => onRequests(link, prefix, 1, callback));
      return () => {
        for (const stop of stops) stop();
      };
    },
    moveTo(next) {
      for (const link of links) link.moveTo(next);
    },
    note: (action) => void actions.push(action),
    async close() {
      await Promise.all(links.map((link) => link.close()));
    },
  };
}

/** Calls back once, with the so-many-th request about keys with a prefix, before it is passed on. */
function onRequests(link: FaultProxy, prefix: string, count: number, callback: () => void): () => void {
  let left = count;
  const stop = link.onRequest((chunk) => {
    if (!Buffer.from(chunk).includes(prefix) || --left > 0) return;
    stop();
    callback();
  });
  return stop;
}
