import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "@continuum-cache/conformance/servers";
import type { Site } from "../site/site.ts";
import type { Door, FaultName, FaultStep } from "./fault-plan.ts";
import type { FaultRecord } from "./fault-record.ts";

/** The processes of a run, as faults see them. */
export interface Victims {
  /** The name under which a place's process writes its records now. */
  nameOf(place: string): string;
  freeze(place: string): void;
  thaw(place: string): void;
  /** SIGKILL; resolves when it is gone. */
  kill(place: string): Promise<void>;
  /** Starts another in its place. */
  replace(place: string): Promise<void>;
}

type Details = Pick<FaultRecord, "process" | "forgetsFromMs" | "isRepeating">;
interface Deed {
  readonly target: FaultRecord["target"];
  /** @returns what else is to be said of it; undefined: nothing has happened. */
  readonly run: (site: Site, step: FaultStep, victims: Victims) => Promise<Details | undefined>;
}

const doing = (
  target: FaultRecord["target"],
  run: (site: Site, step: FaultStep, victims: Victims) => unknown,
): Deed => ({
  target,
  async run(site, step, victims) {
    await run(site, step, victims);
    return {};
  },
});
const onProxy = (door: Door, fault: Fault): Deed =>
  doing("network", async ({ doors }, { lastsMs }) => {
    const { proxy } = doors[door];
    proxy.set(fault);
    await sleep(lastsMs);
    proxy.set({ kind: "pass" });
  });
const atGateway = (fault: "refuse" | "hang" | "error-500" | "lost-reply"): Deed =>
  doing("network", async ({ gateway }, { lastsMs }) => {
    gateway?.fault(fault);
    await sleep(lastsMs);
    gateway?.fault(undefined);
  });

const deeds: Readonly<Record<FaultName, Deed>> = {
  "kill process": {
    target: "kill",
    async run(_, { process = "" }, victims) {
      const name = victims.nameOf(process);
      await victims.kill(process);
      return { process: name };
    },
  },
  "freeze process": {
    target: "freeze",
    async run(_, { process = "", lastsMs }, victims) {
      victims.freeze(process);
      await sleep(lastsMs);
      victims.thaw(process);
      return { process: victims.nameOf(process) };
    },
  },
  "kill all connections": doing("network", async ({ servers }) => {
    await servers.primary.command("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes");
    await servers.primary.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  }),
  "freeze server": doing("server", async ({ servers }, { lastsMs }) => {
    servers.primary.freeze();
    await sleep(lastsMs);
    servers.primary.thaw();
  }),
  "restart server": doing("server", ({ servers }, { lastsMs }) => servers.restart(lastsMs / 4)),
  "fail over": {
    target: "server",
    async run({ servers }, { lastsMs }) {
      const forgetsFromMs = await servers.failOver(lastsMs);
      return forgetsFromMs === undefined ? undefined : { forgetsFromMs };
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
  "cut a": doing("network", ({ doors }) => doors.a.proxy.cut()),
  "cut b": doing("network", ({ doors }) => doors.b.proxy.cut()),
  "blackhole a": onProxy("a", { kind: "blackhole" }),
  "blackhole b": onProxy("b", { kind: "blackhole" }),
  "lose replies a": onProxy("a", { kind: "half-open", lost: "replies" }),
  "lose replies b": onProxy("b", { kind: "half-open", lost: "replies" }),
  "lose requests a": onProxy("a", { kind: "half-open", lost: "requests" }),
  "lose requests b": onProxy("b", { kind: "half-open", lost: "requests" }),
  delay: onProxy("b", { kind: "latency", latencyMs: 50 }),
  "gateway refuses": atGateway("refuse"),
  "gateway hangs": atGateway("hang"),
  "gateway fails": atGateway("error-500"),
  "gateway loses replies": atGateway("lost-reply"),
};

export interface Affliction {
  readonly site: Site;
  readonly steps: readonly FaultStep[];
  /** What a killed server has forgotten may be as old as the run. */
  readonly isForgetful: boolean;
  readonly victims: Victims;
  tell(fault: FaultRecord): void;
}

/** Does what the plan says, one fault after another, and tells when each was. */
export async function afflict({ site, steps, isForgetful, victims, tell }: Affliction): Promise<void> {
  const replacing: Promise<void>[] = [];
  for (const step of steps) {
    await sleep(step.waitMs);
    const startMs = Date.now();
    const { target, run } = deeds[step.name];
    const details = await run(site, step, victims);
    if (!details) continue;
    const forgets = isForgetful && step.name === "restart server" && { forgetsFromMs: 0 };
    tell({ kind: "fault", name: step.name, target, startMs, endMs: Date.now(), ...details, ...forgets });
    if (target === "kill") replacing.push(victims.replace(step.process ?? ""));
  }
  await Promise.all(replacing);
}
