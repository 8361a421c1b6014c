import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type { Fault as NetworkFault, RedisServerOptions } from "@continuum-cache/conformance/servers";
import type { TransportErrorKind } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import type { Fault as GatewayFault } from "@continuum-cache/upstash-local";
import type { Backend } from "./backends.ts";
import type { Place, World } from "./world.ts";

/** A way in which the server may be away. */
export interface Fault {
  readonly name: string;
  readonly on: readonly Backend["name"][];
  readonly place: Place;
  /**
   * The error kinds of a call with `fallback: false`. `timeout` is right too, for a call that had its whole time.
   */
  readonly kinds: readonly TransportErrorKind[];
  /** No outage: everything is answered by the primary as ever, only later. */
  readonly harmless?: boolean;
  /** The primary still answers some calls: reads, or who came earlier. */
  readonly partial?: boolean;
  readonly redis?: RedisServerOptions;
  set(world: World): void | Promise<void>;
  heal(world: World): void | Promise<void>;
  /** Makes the fault meet calls that have left; by default it is set a moment after they have. */
  setInFlight?(world: World, start: () => void): Promise<void>;
}

const everywhere = ["REST", "TCP", "TCP+TLS"] as const;
const sockets = ["TCP", "TCP+TLS"] as const;

function network(name: string, kinds: Fault["kinds"], fault: NetworkFault, more: Partial<Fault> = {}): Fault {
  const set = ({ proxy }: World): void => {
    proxy.set(fault);
    // Who refuses takes no part in what stands either.
    if (fault.kind === "refuse") proxy.cut();
  };
  return {
    name,
    on: everywhere,
    place: "network",
    kinds,
    set,
    heal: ({ proxy }) => proxy.set({ kind: "pass" }),
    async setInFlight(world, start) {
      const met = new Promise<void>((resolve) => {
        const stop = world.proxy.onRequest(() => {
          stop();
          set(world);
          resolve();
        });
      });
      start();
      await met;
    },
    ...more,
  };
}

function gateway(name: string, kinds: Fault["kinds"], fault: GatewayFault): Fault {
  return {
    name,
    on: ["REST"],
    place: "gateway",
    kinds,
    set: (world) => world.gateway.fault(fault),
    heal: (world) => world.gateway.fault(undefined),
    async setInFlight(world, start) {
      const before = await world.gateway.requests();
      await world.gateway.pause();
      start();
      while ((await world.gateway.requests()) === before) await delay(1);
      await world.gateway.fault(fault);
      await world.gateway.resume();
    },
  };
}

/** A change of Redis itself, by commands. With `anew` every client has to connect again. */
function redis(
  name: string,
  kinds: Fault["kinds"],
  commands: { readonly set: readonly string[]; readonly heal: readonly string[]; readonly anew?: boolean },
  more: Partial<Fault> = {},
): Fault {
  const run = async ({ admin }: World, lines: readonly string[]): Promise<void> => {
    const replies = await admin.send(
      lines.map((line) => line.split(" ").map((word) => (word === "''" ? "" : word)) as [string]),
    );
    for (const reply of replies) if (reply instanceof Error) throw reply;
  };
  return {
    name,
    on: sockets,
    place: "redis",
    kinds,
    set: (world) => run(world, [...commands.set, ...(commands.anew ? ["CLIENT KILL TYPE normal"] : [])]),
    heal: (world) => run(world, commands.heal),
    ...more,
  };
}

async function loading(world: World): Promise<void> {
  const { redis } = world;
  const filler = tcpTransport({ url: `${redis.url}/1`, ...(redis.ca !== undefined && { tls: { ca: redis.ca } }) });
  await filler.send([["DEBUG", "POPULATE", 1_000, "filler", 1_100]]);
  await filler.close();
  // It saves what it has answered, and rejects when the process has ended.
  await world.admin.send([["SHUTDOWN", "SAVE"]]).catch(() => {});
  // It resolves when everything is loaded.
  redis.restart().catch(() => {});
  const isLoading = async (): Promise<boolean> => {
    const replies = await world.admin.send([["PING"]], { timeoutMs: 300 }).catch((error: Error) => error.message);
    return String(replies).includes("LOADING");
  };
  while (!(await isLoading())) await delay(10);
}

/** Every fault of the matrix. */
export const faults: readonly Fault[] = [
  {
    name: "killed",
    on: everywhere,
    place: "server",
    kinds: ["unreachable"],
    set: ({ server }) => server.kill(),
    heal: ({ server }) => server.restart(),
    async setInFlight({ server }, start) {
      server.freeze();
      start();
      await turn();
      await turn();
      await server.kill();
    },
  },
  {
    name: "frozen",
    on: everywhere,
    place: "server",
    kinds: ["timeout"],
    set: ({ server }) => server.freeze(),
    heal: ({ server }) => server.thaw(),
  },
  network("refusing", ["unreachable"], { kind: "refuse" }),
  network("black-holed", ["timeout"], { kind: "blackhole" }),
  network("half-open, requests lost", ["timeout"], { kind: "half-open", lost: "requests" }),
  network("half-open, replies lost", ["timeout"], { kind: "half-open", lost: "replies" }),
  network("reset at a request", ["unreachable"], { kind: "reset" }),
  network("reset mid-reply", ["unreachable"], { kind: "cut", afterBytes: 1, reset: true }),
  network("cut off mid-reply", ["unreachable"], { kind: "cut", afterBytes: 1 }),
  network("too slow", ["timeout"], { kind: "latency", latencyMs: 500 }),
  network("slow", [], { kind: "latency", latencyMs: 20 }, { harmless: true }),
  network("trickling, too slowly", ["timeout"], { kind: "trickle", chunkBytes: 1, everyMs: 150 }),
  network("trickling", [], { kind: "trickle", chunkBytes: 1 }, { harmless: true, on: ["TCP"] }),
  // What HTTP and TLS say around a reply makes it a hundred times as long.
  network("trickling", [], { kind: "trickle", chunkBytes: 64 }, { harmless: true, on: ["REST", "TCP+TLS"] }),

  gateway("401", ["unauthorized"], "unauthorized"),
  gateway("429 with Retry-After", ["quota"], "quota"),
  gateway("daily limit", ["quota"], "daily-limit"),
  gateway("monthly limit", ["quota"], "monthly-limit"),
  gateway("500", ["unreachable"], "error-500"),
  gateway("502 in HTML", ["unreachable"], "html"),
  gateway("200 in HTML", ["protocol"], "login-page"),
  gateway("truncated JSON", ["protocol"], "truncate"),
  gateway("lost reply", ["unreachable"], "lost-reply"),
  gateway("hanging", ["timeout"], "hang"),
  {
    name: "its Redis killed",
    on: ["REST"],
    place: "gateway",
    kinds: ["unreachable"],
    set: (world) => world.redis.kill(),
    heal: (world) => world.redis.restart(),
  },
  {
    name: "its Redis frozen",
    on: ["REST"],
    place: "gateway",
    kinds: ["timeout"],
    set: (world) => world.redis.freeze(),
    heal: (world) => world.redis.thaw(),
  },

  redis(
    "password set (NOAUTH)",
    ["unauthorized", "unreachable"],
    { set: ["CONFIG SET requirepass second"], heal: ["CONFIG SET requirepass ''"], anew: true },
    {},
  ),
  redis(
    "password changed (WRONGPASS)",
    ["unauthorized", "unreachable"],
    { set: ["CONFIG SET requirepass second"], heal: ["CONFIG SET requirepass first"], anew: true },
    { redis: { password: "first" } },
  ),
  redis("max clients", ["unreachable"], {
    set: ["CONFIG SET maxclients 1"],
    heal: ["CONFIG SET maxclients 10000"],
    anew: true,
  }),
  redis("READONLY", ["unreachable"], { set: ["REPLICAOF 127.0.0.1 1"], heal: ["REPLICAOF NO ONE"] }, { partial: true }),
  redis("MASTERDOWN", ["unreachable"], {
    set: ["CONFIG SET replica-serve-stale-data no", "REPLICAOF 127.0.0.1 1"],
    heal: ["REPLICAOF NO ONE", "CONFIG SET replica-serve-stale-data yes"],
  }),
  redis(
    "LOADING",
    ["unreachable"],
    { set: [], heal: ["CONFIG SET key-load-delay 0"] },
    {
      redis: {
        appendonly: false,
        args: ["key-load-delay 4000", "loading-process-events-interval-bytes 1024", "enable-debug-command yes"],
      },
      set: loading,
    },
  ),
];
