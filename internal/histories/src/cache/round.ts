import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import type { StallMeter } from "../checking/stalls.ts";
import type { Remote, Worker } from "../fleet/worker-pool.ts";
import type { AgendaItem } from "./agenda.ts";
import type { ClientSession, ClientTask, Connection } from "./client-session.ts";
import { type LinkPlan, planClients, planLinks, planServer, type ServerFault, type ServerPlan } from "./fault-plan.ts";
import { type Action, type History, nowUs } from "./history.ts";
import { type Nemesis, startNemesis } from "./nemesis.ts";
import { gatewayFaults, type Site } from "./site.ts";

/** Histories that run at once on one site, and share what happens to its server. Each seed is one history. */
export interface Round extends AgendaItem {
  readonly site: Site;
  /** One for each client of a history. */
  readonly workers: readonly Worker<ClientTask, ClientSession>[];
  /** Of this process, through which all bytes pass. */
  readonly stalls: StallMeter;
}

interface Stage {
  readonly seed: number;
  readonly prefix: string;
  readonly begunMs: number;
  readonly planted: ReadonlyMap<string, string>;
  readonly plan: LinkPlan;
  readonly nemesis: Nemesis;
  readonly remotes: readonly Remote<ClientSession>[];
}

/** So different are the seeds of what is drawn for a history's clients, its links and its server. */
const [linkSeed, serverSeed] = [1_000_001, 1_000_002];

export async function runRound(round: Round): Promise<History[]> {
  const { site, seeds, variant } = round;
  const plan = planServer(variant.schedule, createRandom(round.round, serverSeed), gatewayFaults);
  const stages = await Promise.all(seeds.map((seed) => openStage(round, seed)));
  try {
    await Promise.all(stages.flatMap(({ remotes }) => remotes.map((remote) => remote.call("go"))));
    const all = (action: Action): void => {
      for (const { nemesis } of stages) nemesis.note(action);
    };
    const moveTo = (port: number): void => {
      for (const { nemesis } of stages) nemesis.moveTo(port);
    };
    const serverIsWell = disturbServer(round, plan, { note: all, moveTo });
    const linksAreWell = stages.map(({ nemesis, plan: links }) => nemesis.run(links));
    const isWell = plan.relapse
      ? Promise.all([serverIsWell, ...linksAreWell]).then(() => killAgain(round, stages, plan.relapse?.forMs ?? 0, all))
      : serverIsWell;
    return await Promise.all(
      stages.map(async (stage, at) => {
        await Promise.all([isWell, linksAreWell[at]]);
        if (stage.plan.relapse) await stage.nemesis.relapse(stage.plan.relapse);
        return endStage(round, stage);
      }),
    );
  } finally {
    await Promise.all(stages.map(({ nemesis }) => nemesis.close()));
    await site.clear(stages.map(({ prefix }) => prefix));
  }
}

async function openStage({ site, workers, stalls, variant }: Round, seed: number): Promise<Stage> {
  const prefix = `h${seed}:`;
  const random = createRandom(seed, linkSeed);
  const plan = planLinks(variant.schedule, random, workers.length);
  // A gateway is one hop more.
  const hopsMs = variant.connection === "rest" ? 80 : 0;
  const settings: Omit<Connection, "port"> = {
    kind: variant.connection,
    timeoutMs: random.between(80, 140) + hopsMs,
    healthCheckMs: random.between(20, 50),
    retries: random.pick([0, 3]),
  };
  const { journalEntries, manyKeys } = planClients(variant.schedule);
  const begunMs = stalls.now();
  const planted = await site.plant(prefix);
  const nemesis = await startNemesis(workers.length, site.portOf(variant.connection), prefix);
  const remotes = await Promise.all(
    workers.map((worker, client) => {
      const port = nemesis.ports[client] ?? 0;
      const connection = { ...settings, port, ...(journalEntries !== undefined && { journalEntries }) };
      return worker.open({ process: `client-${client}`, seed, client, prefix, manyKeys, connection });
    }),
  );
  return { seed, prefix, begunMs, planted, plan, nemesis, remotes };
}

async function endStage({ site, stalls, variant }: Round, stage: Stage): Promise<History> {
  const { seed, prefix, begunMs, planted, nemesis, remotes } = stage;
  await Promise.all(remotes.map((remote) => remote.call("settle")));
  const final = await site.read(prefix, planClients(variant.schedule).manyKeys);
  const clients = await Promise.all(remotes.map((remote) => remote.call("stop")));
  const found = await site.readPlanted(prefix);
  const bystanders = [...planted].map(([key, before]) => ({ key, before, after: found.get(key) ?? null }));
  const longestStallMs = stalls.longestMsSince(begunMs);
  return { seed, variant, clients, finals: [final], nemesis: nemesis.actions, bystanders, longestStallMs };
}

/** What a round does when its server is disturbed. */
interface Disturbed {
  readonly note: (action: Action) => void;
  /** The address leads to another server from now on. */
  readonly moveTo: (port: number) => void;
}

async function disturbServer({ site }: Round, plan: ServerPlan, { note, moveTo }: Disturbed): Promise<void> {
  for (const { atMs, forMs, fault } of plan.server) {
    await sleep(atMs);
    note(fault === "failover" ? await failOver(site, forMs, moveTo) : await hurt(site, fault, forMs));
  }
  for (const { atMs, forMs, fault } of plan.gateway) {
    await sleep(atMs);
    const startUs = nowUs();
    site.gateway?.fault(fault);
    await sleep(forMs);
    site.gateway?.fault(undefined);
    note({ startUs, endUs: nowUs(), fault });
  }
}

/** Kills the server as soon as a client is seen replaying; not at all when none is. */
async function killAgain(
  { site }: Round,
  stages: readonly Stage[],
  forMs: number,
  note: (action: Action) => void,
): Promise<void> {
  let seen = (_: boolean): void => {};
  const isSeen = new Promise<boolean>((resolve) => {
    seen = resolve;
  });
  const stops = stages.map(({ nemesis }) => nemesis.onRequest(() => seen(true)));
  const timer = setTimeout(() => seen(false), 500);
  const replays = await isSeen;
  clearTimeout(timer);
  for (const stop of stops) stop();
  if (replays) note({ ...(await hurt(site, "kill", forMs)), relapse: true });
}

/** For a while the address leads to the old primary still, as a name does until it is resolved anew. */
async function failOver(site: Site, forMs: number, moveTo: (port: number) => void): Promise<Action> {
  const startUs = nowUs();
  await site.failOver?.();
  await sleep(forMs);
  moveTo(site.redis.port);
  return { startUs, endUs: nowUs(), fault: "failover" };
}

async function hurt({ redis }: Site, fault: Exclude<ServerFault, "failover">, forMs: number): Promise<Action> {
  const startUs = nowUs();
  if (fault === "freeze") {
    redis.freeze();
    await sleep(forMs);
    redis.thaw();
  } else {
    await redis.kill();
    await sleep(forMs);
    await redis.restart();
  }
  return { startUs, endUs: nowUs(), fault };
}
