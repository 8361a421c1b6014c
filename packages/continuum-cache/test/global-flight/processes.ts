import { type ChildProcess, fork } from "node:child_process";
import type { FlightReport, FlightTask } from "./flight-process.ts";

interface Message {
  readonly ready?: boolean;
  readonly loading?: boolean;
  readonly report?: FlightReport;
}

/** A process of the test. */
export interface FlightProcess {
  run(task: FlightTask): Promise<FlightReport>;
  /** Resolves when its loader has begun. */
  loading(): Promise<unknown>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts processes, and waits until each is there. */
export function startProcesses(count: number): Promise<FlightProcess[]> {
  return Promise.all(Array.from({ length: count }, start));
}

async function start(): Promise<FlightProcess> {
  const execArgv = ["--conditions=@continuum-cache/source", "--import", "tsx"];
  const child = fork(`${import.meta.dirname}/flight-process.ts`, { execArgv, stdio: "inherit" });
  await next(child, ({ ready }) => ready);
  return {
    async run(task) {
      child.send(task);
      const { report } = await next(child, (message) => message.report);
      return report as FlightReport;
    },
    loading: () => next(child, (message) => message.loading),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    },
  };
}

function next(child: ChildProcess, isWanted: (message: Message) => unknown): Promise<Message> {
  return new Promise((resolve, reject) => {
    const listen = (message: Message): void => {
      if (!isWanted(message)) return;
      child.off("message", listen);
      resolve(message);
    };
    child.on("message", listen);
    child.once("exit", () => reject(new Error("The process has ended")));
  });
}
