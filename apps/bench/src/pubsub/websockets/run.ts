import { setTimeout as sleep } from "node:timers/promises";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { PubSub } from "@continuum-cache/pubsub";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { type Fleet, startFleet } from "../../ratelimit/fleet.ts";
import { freePort } from "./free-port.ts";
import type { ClientFindings, Note, ServerFindings, Task } from "./notes.ts";
import { channels, history, type WebSocketPlan } from "./plan.ts";

export interface WebSocketRun {
  readonly plan: WebSocketPlan;
  readonly published: { readonly all: number; readonly wide: number };
  readonly server: ServerFindings;
  /** Of all client processes together. */
  readonly clients: ClientFindings;
}

/** In how many processes the clients live: each connection takes a file descriptor on both sides. */
const clientProcesses = 3;
/** Clients that thaw do so this long after they were found to lag. */
const thawAfterMs = 3_000;

/** Connects clients to one server process, freezes some, publishes, and finds out what everybody got. */
export async function measureWebSockets(plan: WebSocketPlan): Promise<WebSocketRun> {
  const redis = await startRedisServer();
  const port = await freePort();
  const transport = tcpTransport({ url: redis.url });
  const pubsub = new PubSub({ transport });
  const heard = createHeard();
  let servers: Fleet<Note, ServerFindings> | undefined;
  let clients: Fleet<Note, ClientFindings> | undefined;
  try {
    servers = await startFleet<Task, Note, ServerFindings>({
      module: "../pubsub/websockets/server-process",
      tasks: [{ is: "server", plan, port, redisUrl: redis.url }],
      route: heard.take,
    });
    await heard.until(({ listening }) => listening === 1, servers);
    const share = Math.ceil(plan.clients / clientProcesses);
    const shares = Array.from({ length: clientProcesses }, (_, at) => ({
      from: Math.min(plan.clients, at * share),
      to: Math.min(plan.clients, (at + 1) * share),
    }));
    clients = await startFleet<Task, Note, ClientFindings>({
      module: "../pubsub/websockets/client-process",
      tasks: shares.map((own): Task => ({ is: "clients", plan, port, ...own })),
      route: heard.take,
    });
    const tellClients = (note: Note): void => {
      for (let at = 0; at < clientProcesses; at++) clients?.tell(at, note);
    };
    tellClients({ is: "connect" });
    await heard.until(({ connected }) => connected === clientProcesses, clients);
    servers.tell(0, { is: "connected" });
    const published = await publish(pubsub, plan, async () => {
      await heard.until(({ lagging }) => lagging >= plan.frozen);
      await sleep(thawAfterMs);
      tellClients({ is: "thaw" });
    });
    await heard.until(({ tooSlow }) => tooSlow >= Math.floor(plan.frozen / 2));
    tellClients({ is: "published", ...published });
    const found = sum(await clients.results);
    servers.tell(0, { is: "stop" });
    const [server] = await servers.results;
    if (!server) throw new Error("Expected findings of the server, got none");
    return { plan, published, server, clients: found };
  } finally {
    clients?.close();
    servers?.close();
    await pubsub.close();
    await transport.close();
    await redis.close();
  }
}

/** Publishes at an even pace while something else goes on. */
async function publish(
  pubsub: PubSub,
  { seconds, rate, wideRate, wideBytes }: WebSocketPlan,
  meanwhile: () => Promise<void>,
): Promise<WebSocketRun["published"]> {
  const filling = "x".repeat(wideBytes);
  const startedAt = performance.now();
  const evenly = async (perSecond: number, once: () => Promise<unknown>): Promise<number> => {
    let count = 0;
    for (; count < seconds * perSecond; count++) {
      await sleep(startedAt + (count * 1_000) / perSecond - performance.now());
      await once();
    }
    return count;
  };
  const [all, wide] = await Promise.all([
    evenly(rate, () => pubsub.publish(channels.all, { at: Date.now(), note: "to everybody" }, { replay: history })),
    evenly(wideRate, () => pubsub.publish(channels.wide, { at: Date.now(), filling })),
    meanwhile(),
  ]);
  return { all, wide };
}

/** What the processes have told so far. */
function createHeard() {
  const heard = { listening: 0, connected: 0, lagging: 0, tooSlow: 0 };
  return {
    /** Notes are for this process; each goes back to its sender, who passes over it. */
    take(from: number, note: Note): number {
      if (note.is === "listening" || note.is === "connected") heard[note.is]++;
      if (note.is === "sample") Object.assign(heard, { lagging: note.lagging, tooSlow: note.tooSlow });
      return from;
    },
    async until(isSo: (now: typeof heard) => boolean, fleet?: { readonly results: Promise<unknown> }): Promise<void> {
      let failure: unknown;
      fleet?.results.catch((error: unknown) => {
        failure = error;
      });
      for (const startedAt = Date.now(); !isSo(heard); await sleep(50)) {
        if (failure) throw failure;
        if (Date.now() - startedAt > 180_000) throw new Error(`Gave up waiting at ${JSON.stringify(heard)}`);
      }
    },
  };
}

function sum(all: readonly ClientFindings[]): ClientFindings {
  const total = (of: (one: ClientFindings) => number): number => all.reduce((so, one) => so + of(one), 0);
  return {
    is: "clients",
    clients: total(({ clients }) => clients),
    messages: total(({ messages }) => messages),
    incomplete: total(({ incomplete }) => incomplete),
    miscounted: total(({ miscounted }) => miscounted),
    toldMissed: total(({ toldMissed }) => toldMissed),
    resumed: total(({ resumed }) => resumed),
    latenciesMs: all.flatMap(({ latenciesMs }) => latenciesMs).sort((one, other) => one - other),
  };
}
