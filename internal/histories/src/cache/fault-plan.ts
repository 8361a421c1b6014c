import type { Fault, Random } from "@continuum-cache/conformance/servers";

/** What kinds of things go wrong. */
export type ScheduleKind =
  /** Nothing. */
  | "calm"
  /** All clients lose their server at once. */
  | "outage"
  /** One client loses it, the others don't. */
  | "partial"
  /** Short faults on one client or another. */
  | "flapping"
  /** All clients lose the server, and lose it again while they tell it what happened meanwhile. */
  | "relapse"
  /** The server is killed (SIGKILL) and started again. */
  | "kill"
  /** The server stands still (SIGSTOP) and goes on. */
  | "freeze"
  /** The server is killed, and again while clients tell it what happened meanwhile. */
  | "kill-relapse"
  /**
   * Another server becomes the primary behind the same address; connections to the old one stay, and it refuses all
   * work.
   */
  | "failover"
  /** What stands before the server misbehaves: answers 500, garbage, half of the answer. */
  | "gateway"
  /** All clients lose the server, work on many keys meanwhile, and have a journal of 20 entries. */
  | "small-journal";

/** What is particular about the clients of a history. */
export interface ClientPlan {
  /** The most entries of a client's journal; its own default when absent. */
  readonly journalEntries?: number;
  /** Whether clients work on many keys; else on few, so that they meet. */
  readonly manyKeys: boolean;
}

export const planClients = (kind: ScheduleKind): ClientPlan =>
  kind === "small-journal" ? { journalEntries: 20, manyKeys: true } : { manyKeys: false };

/** Something that goes wrong from `atMs` after a history's start on. */
export interface Disturbance<Kind> {
  readonly atMs: number;
  readonly forMs: number;
  readonly fault: Kind;
  /** The only client that it concerns; absent when it concerns all. */
  readonly client?: number;
}

/** What goes wrong on a link. */
export interface LinkDisturbance extends Disturbance<Fault> {
  /**
   * Whether connections break when it ends; else those that lost bytes stay silent until their client gives them up.
   */
  readonly breaks: boolean;
}

/** What goes wrong between one history's clients and their server. */
export interface LinkPlan {
  /** How long the history lasts at least before everything passes again. */
  readonly lastsMs: number;
  readonly disturbances: readonly LinkDisturbance[];
  /** What meets each client's so-many-th request of its replay. */
  readonly relapse?: Omit<LinkDisturbance, "atMs" | "client"> & { readonly atRequest: number };
}

/** What the server of the REST API does instead of its work. */
export type GatewayFault =
  | "refuse"
  | "hang"
  | "unauthorized"
  | "quota"
  | "error-500"
  | "html"
  | "truncate"
  | "lost-reply";
export type ServerFault = "kill" | "freeze" | "failover";

/** What goes wrong with the server of a round, and what stands before it. */
export interface ServerPlan {
  readonly server: readonly Disturbance<ServerFault>[];
  readonly gateway: readonly Disturbance<GatewayFault>[];
  /** The server is killed again as soon as a client replays. */
  readonly relapse?: { readonly forMs: number };
}

/** Draws what goes wrong between clients and server. */
export function planLinks(kind: ScheduleKind, random: Random, clients: number): LinkPlan {
  return { lastsMs: random.between(150, 300), ...drawLinkFaults(kind, random, clients) };
}

function drawLinkFaults(kind: ScheduleKind, random: Random, clients: number): Omit<LinkPlan, "lastsMs"> {
  const breaks = random.chance(0.8);
  const begin = { atMs: random.between(10, 60), forMs: random.between(60, 260), breaks };
  const anyone = (): number => random.between(0, clients - 1);
  switch (kind) {
    case "outage":
      return { disturbances: [{ ...begin, fault: drawFault(random) }] };
    case "small-journal":
      return { disturbances: [{ ...begin, forMs: random.between(150, 300), fault: drawOutage(random) }] };
    case "partial":
      return { disturbances: [{ ...begin, fault: drawFault(random), client: anyone() }] };
    case "flapping":
      return {
        disturbances: Array.from({ length: random.between(3, 6) }, () => ({
          atMs: random.between(0, 250),
          forMs: random.between(10, 90),
          breaks: random.chance(0.9),
          fault: drawFault(random),
          client: anyone(),
        })),
      };
    case "relapse": {
      const fault = drawRelapse(random);
      const relapse = { fault, atRequest: random.between(1, 4), forMs: random.between(40, 200), breaks };
      return { disturbances: [{ ...begin, fault: drawOutage(random) }], relapse };
    }
    case "kill":
    case "freeze":
    case "failover": {
      const also = random.chance(0.3);
      return { disturbances: also ? [{ ...begin, fault: drawFault(random), client: anyone() }] : [] };
    }
    default:
      return { disturbances: [] };
  }
}

/** Draws what goes wrong with the server. */
export function planServer(kind: ScheduleKind, random: Random, gatewayFaults: readonly GatewayFault[]): ServerPlan {
  const one = { atMs: random.between(20, 100), forMs: random.between(40, 220) };
  const nothing = { server: [], gateway: [] };
  switch (kind) {
    case "kill":
    case "freeze":
    case "failover":
      return { ...nothing, server: [{ ...one, fault: kind }] };
    case "kill-relapse":
      return { ...nothing, server: [{ ...one, fault: "kill" }], relapse: { forMs: random.between(20, 150) } };
    case "gateway":
      return { ...nothing, gateway: [{ ...one, fault: random.pick(gatewayFaults) }] };
    default:
      return nothing;
  }
}

/** Something after which no answers come. */
const drawOutage = (random: Random): Fault =>
  random.pick<Fault>([
    { kind: "refuse" },
    { kind: "blackhole" },
    { kind: "reset" },
    { kind: "half-open", lost: "requests" },
    { kind: "half-open", lost: "replies" },
    { kind: "cut", afterBytes: random.between(0, 200) },
  ]);

/** Any fault, such through which answers may come among them. */
const drawFault = (random: Random): Fault =>
  random.chance(0.75)
    ? drawOutage(random)
    : random.pick<Fault>([
        { kind: "latency", latencyMs: random.between(10, 200) },
        { kind: "trickle", chunkBytes: random.between(1, 8) },
      ]);

/** A fault that leaves it open whether the server did what it was asked. */
const drawRelapse = (random: Random): Fault =>
  random.pick<Fault>([
    { kind: "cut", afterBytes: random.between(0, 60) },
    { kind: "half-open", lost: "replies" },
    { kind: "blackhole" },
    { kind: "reset" },
  ]);
