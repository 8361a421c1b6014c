import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "@continuum-cache/conformance/servers";
import type { FaultRecord } from "../checking/records.ts";
import type { Targets } from "../fleet/team.ts";
import type { Door, Site } from "../site/site.ts";
import type { FaultName, FaultStep } from "./fault-plan.ts";

/** Messages on this channel only fill buffers; no rule looks at them. */
export const fillerChannel = "filler";

type Details = Partial<Pick<FaultRecord, "process" | "forgets" | "forgetsFromMs" | "isRepeating">>;
type Run = (site: Site, step: FaultStep, targets: Targets) => Promise<unknown>;
interface FaultKind {
  readonly target: FaultRecord["target"];
  /** @returns what else its record says; undefined when nothing has happened. */
  run(site: Site, step: FaultStep, targets: Targets): Promise<Details | undefined>;
}

const kind = (target: FaultRecord["target"], run: Run): FaultKind => ({
  target,
  async run(site, step, targets) {
    await run(site, step, targets);
    return {};
  },
});
/** Something that begins, lasts, and ends. */
const lasting = (
  target: FaultRecord["target"],
  begin: (site: Site) => unknown,
  end: (site: Site) => unknown,
): FaultKind =>
  kind(target, async (site, { lastsMs }) => {
    begin(site);
    await sleep(lastsMs);
    end(site);
  });
const onDoor = (door: Door, fault: Fault): FaultKind =>
  lasting(
    "network",
    ({ doors }) => doors[door].proxy.set(fault),
    ({ doors }) => doors[door].proxy.set({ kind: "pass" }),
  );
const atGateway = (fault: "refuse" | "hang" | "error-500" | "lost-reply"): FaultKind =>
  lasting(
    "network",
    ({ gateway }) => gateway?.fault(fault),
    ({ gateway }) => gateway?.fault(undefined),
  );
const killClients = async ({ servers }: Site, type: "pubsub" | "normal"): Promise<unknown> =>
  servers.primary.command("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");

/** A process that does not run for a while. */
const frozen = (meanwhile: Run): FaultKind => ({
  target: "freeze",
  async run(site, step, targets) {
    const { process = "", lastsMs } = step;
    const name = targets.nameOf(process);
    targets.freeze(process);
    await meanwhile(site, step, targets);
    await sleep(lastsMs);
    targets.thaw(process);
    return { process: name };
  },
});

const faults: Readonly<Record<FaultName, FaultKind>> = {
  "kill process": {
    target: "kill",
    async run(_, { process = "" }, targets) {
      const name = targets.nameOf(process);
      await targets.kill(process);
      return { process: name };
    },
  },
  "freeze process": frozen(async () => {}),
  "overflow process": frozen(async ({ servers }) => {
    // The server disconnects a client that does not read so much.
    const large = JSON.stringify("x".repeat(64 << 10));
    for (let count = 0; count < 256; count++) await servers.primary.command("PUBLISH", fillerChannel, large);
  }),
  "kill subscriber connections": kind("network", (site) => killClients(site, "pubsub")),
  "kill all connections": kind("network", async (site) => {
    await killClients(site, "pubsub");
    await killClients(site, "normal");
  }),
  "freeze server": lasting(
    "server",
    ({ servers }) => servers.primary.freeze(),
    ({ servers }) => servers.primary.thaw(),
  ),
  "restart server": { target: "server", run: ({ servers }, { lastsMs }) => servers.restart(lastsMs / 4) },
  "fail over": { target: "server", run: ({ servers }, { lastsMs }) => servers.failOver(lastsMs) },
  flush: {
    target: "server",
    async run({ servers }) {
      await servers.primary.command("FLUSHDB");
      return { forgets: "everything", forgetsFromMs: 0 };
    },
  },
  "repeat requests": {
    target: "network",
    async run({ switchboard }, { lastsMs }) {
      switchboard.repeat(true);
      await sleep(lastsMs);
      switchboard.repeat(false);
      return { isRepeating: true };
    },
  },
  "cut a": kind("network", async ({ doors }) => doors.a.proxy.cut()),
  "cut b": kind("network", async ({ doors }) => doors.b.proxy.cut()),
  "cut mid-line": kind("network", async ({ doors }, { lastsMs }) => {
    doors.b.proxy.set({ kind: "cut", afterBytes: 5_000 + (lastsMs % 997) });
    await sleep(lastsMs);
    doors.b.proxy.set({ kind: "pass" });
  }),
  "blackhole a": onDoor("a", { kind: "blackhole" }),
  "blackhole b": onDoor("b", { kind: "blackhole" }),
  "lose replies a": onDoor("a", { kind: "half-open", lost: "replies" }),
  "lose replies b": onDoor("b", { kind: "half-open", lost: "replies" }),
  "lose requests a": onDoor("a", { kind: "half-open", lost: "requests" }),
  "lose requests b": onDoor("b", { kind: "half-open", lost: "requests" }),
  delay: onDoor("b", { kind: "latency", latencyMs: 80 }),
  trickle: onDoor("b", { kind: "trickle", chunkBytes: 7 }),
  "end streams": kind("network", async ({ streams }) => streams?.endStreams()),
  "truncate streams": kind("network", async ({ streams }) => streams?.truncateStreams()),
  "mute streams": kind("network", async ({ streams }) => streams?.muteStreams()),
  "gateway refuses": atGateway("refuse"),
  "gateway hangs": atGateway("hang"),
  "gateway fails": atGateway("error-500"),
  "gateway loses replies": atGateway("lost-reply"),
};

/** Runs the faults of a plan one after another, and records when each was. A killed process is replaced at once. */
export async function runFaults(
  site: Site,
  steps: readonly FaultStep[],
  targets: Targets,
  note: (fault: FaultRecord) => void,
): Promise<void> {
  const replacing: Promise<void>[] = [];
  for (const step of steps) {
    await sleep(step.waitMs);
    const startMs = Date.now();
    const { target, run } = faults[step.name];
    const details = await run(site, step, targets);
    if (!details) continue;
    note({ kind: "fault", name: step.name, target, startMs, endMs: Date.now(), ...details });
    if (target === "kill") replacing.push(targets.replace(step.process ?? ""));
  }
  await Promise.all(replacing);
}
