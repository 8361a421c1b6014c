import { setTimeout as sleep } from "node:timers/promises";
import type { FaultName, FaultStep } from "./fault-plan.ts";
import { fillerChannel } from "./message-data.ts";
import type { Durability } from "./plan.ts";
import type { FaultRecord } from "./record.ts";
import type { Site } from "./site.ts";

/** The processes that listen, as faults see them. */
export interface Victims {
  freeze(process: string): void;
  thaw(process: string): void;
  /** Kills it, and starts another that goes on where it was. */
  replace(process: string): Promise<void>;
}

type Deed = (site: Site, step: FaultStep, victims: Victims) => Promise<unknown>;

const killClients = async (site: Site, type: string): Promise<unknown> =>
  site.redis.command("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");

const onProxy =
  (whose: "publishers" | "subscribers", fault: Parameters<Site["subscribers"]["proxy"]["set"]>[0]): Deed =>
  async (site, { lastsMs }) => {
    const { proxy } = site[whose];
    proxy.set(fault);
    await sleep(lastsMs);
    proxy.set({ kind: "pass" });
  };

const freeze: Deed = async (_, { process = "", lastsMs }, victims) => {
  victims.freeze(process);
  await sleep(lastsMs);
  victims.thaw(process);
};

const atGateway =
  (fault: "refuse" | "hang" | "error-500" | "lost-reply"): Deed =>
  async ({ rest }, { lastsMs }) => {
    rest?.gateway.fault(fault);
    await sleep(lastsMs);
    rest?.gateway.fault(undefined);
  };

const deeds: Readonly<Record<FaultName, Deed>> = {
  "kill subscriber connections": (site) => killClients(site, "pubsub"),
  async "kill all connections"(site) {
    await killClients(site, "pubsub");
    await killClients(site, "normal");
  },
  async "freeze server"({ redis }, { lastsMs }) {
    redis.freeze();
    await sleep(lastsMs);
    redis.thaw();
  },
  async "restart server"(site, { lastsMs }) {
    await site.redis.kill();
    await site.tearHistory();
    await sleep(lastsMs / 4);
    await site.redis.restart();
  },
  flush: ({ redis }) => redis.command("FLUSHDB"),
  "cut subscribers": async ({ subscribers }) => subscribers.proxy.cut(),
  "cut publishers": async ({ publishers }) => publishers.proxy.cut(),
  "blackhole subscribers": onProxy("subscribers", { kind: "blackhole" }),
  "blackhole publishers": onProxy("publishers", { kind: "blackhole" }),
  "half-open replies": onProxy("subscribers", { kind: "half-open", lost: "replies" }),
  "half-open requests": onProxy("subscribers", { kind: "half-open", lost: "requests" }),
  "delay subscribers": onProxy("subscribers", { kind: "latency", latencyMs: 80 }),
  "trickle subscribers": onProxy("subscribers", { kind: "trickle", chunkBytes: 7 }),
  "freeze subscriber": freeze,
  async "overflow subscriber"(site, step, victims) {
    victims.freeze(step.process ?? "");
    // So much in the way of a process that does not read that the server lets it go.
    const large = JSON.stringify("x".repeat(64 << 10));
    for (let count = 0; count < 256; count++) await site.redis.command("PUBLISH", fillerChannel, large);
    await sleep(step.lastsMs);
    victims.thaw(step.process ?? "");
  },
  "kill subscriber": (_, { process = "" }, victims) => victims.replace(process),
  "end streams": async ({ rest }) => rest?.streams.endStreams(),
  "truncate streams": async ({ rest }) => rest?.streams.truncateStreams(),
  "mute streams": async ({ rest }) => rest?.streams.muteStreams(),
  async "cut mid-line"({ subscribers }, { lastsMs }) {
    subscribers.proxy.set({ kind: "cut", afterBytes: 5_000 + (lastsMs % 997) });
    await sleep(lastsMs);
    subscribers.proxy.set({ kind: "pass" });
  },
  "gateway refuses": atGateway("refuse"),
  "gateway hangs": atGateway("hang"),
  "gateway fails": atGateway("error-500"),
  "gateway loses replies": atGateway("lost-reply"),
};

/** Does what the plan says, one fault after another, and tells when each was. */
export async function afflict(
  site: Site,
  durability: Durability,
  steps: readonly FaultStep[],
  victims: Victims,
  tell: (fault: FaultRecord) => void,
): Promise<void> {
  for (const step of steps) {
    await sleep(step.waitMs);
    const startMs = Date.now();
    await deeds[step.name](site, step, victims);
    const forgets = forgottenBy(step.name, durability);
    const name = step.process === undefined ? step.name : `${step.name} ${step.process}`;
    tell({ kind: "fault", name, startMs, endMs: Date.now(), ...(forgets && { forgets }) });
  }
}

function forgottenBy(name: FaultName, durability: Durability): FaultRecord["forgets"] {
  if (name === "flush") return "everything";
  if (name !== "restart server") return undefined;
  const after = { none: "everything", torn: "tail", everysec: "tail", always: undefined } as const;
  return after[durability];
}
