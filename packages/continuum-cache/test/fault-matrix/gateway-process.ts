import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import type { Fault } from "@continuum-cache/upstash-local";

/** A gateway that speaks Upstash's REST protocol, as a process of its own: it can be killed and frozen for real. */
export interface GatewayProcess {
  readonly url: string;
  kill(): Promise<void>;
  /** On the same port. */
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Makes it misbehave; `undefined` ends it. */
  fault(fault: Fault | undefined): Promise<void>;
  /** Holds requests back. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** How many requests have come so far. */
  requests(): Promise<number>;
  close(): Promise<void>;
}

/** What the parent asks of the gateway. */
export interface GatewayOrder {
  readonly id: number;
  readonly order: "fault" | "pause" | "resume" | "requests";
  readonly fault?: Fault;
}

/** What the gateway tells: that it listens, or that an order was carried out. */
export type GatewayAnswer = { readonly url: string } | { readonly id: number; readonly requests: number };

/** Starts one in front of a Redis and waits until it listens. */
export async function startGatewayProcess(redisUrl: string): Promise<GatewayProcess> {
  const program = await bundledProgram(resolve(import.meta.dirname, "gateway-program.ts"));
  const waiting = new Map<number, (requests: number) => void>();
  let orders = 0;
  let child: ChildProcess;

  const start = async (port: string): Promise<string> => {
    child = spawn(process.execPath, [program, redisUrl, port], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    return new Promise((resolve, reject) => {
      child.once("exit", () => reject(new Error("The gateway ended")));
      child.on("message", (answer: GatewayAnswer) => {
        if ("url" in answer) return resolve(answer.url);
        waiting.get(answer.id)?.(answer.requests);
        waiting.delete(answer.id);
      });
    });
  };
  const ask = (order: GatewayOrder["order"], fault?: Fault): Promise<number> =>
    new Promise((resolve) => {
      waiting.set(++orders, resolve);
      child.send({ id: orders, order, ...(fault !== undefined && { fault }) } satisfies GatewayOrder);
    });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };

  const url = await start("0");
  return {
    url,
    kill,
    async restart() {
      await kill();
      await start(new URL(url).port);
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    fault: async (fault) => void (await ask("fault", fault)),
    pause: async () => void (await ask("pause")),
    resume: async () => void (await ask("resume")),
    requests: () => ask("requests"),
    close: kill,
  };
}
