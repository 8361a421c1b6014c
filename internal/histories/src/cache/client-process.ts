import { startStallMeter } from "../checking/stall-meter.ts";
import { type ClientSession, type ClientTask, type MakeClient, startSession } from "./client-session.ts";

/** What the runner tells a client process; each is answered. */
export type ClientCommand =
  | { readonly id: number; readonly session: string; readonly does: "open"; readonly task: ClientTask }
  | { readonly id: number; readonly session: string; readonly does: "go" | "finish" }
  | { readonly id: number; readonly session: string; readonly does: "settle"; readonly withinMs: number };

/** What a client process tells the runner. */
export type ClientAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  /** It serves from now on. */
  | { readonly serves: true }
  /** An error that nobody heard. */
  | { readonly unhandled: string };

/**
 * Makes this process one of the client processes of `runHistories`: it hosts caches that do what their histories say,
 * until the runner lets go of it. To be called once, by the module that `runHistories` is told to start.
 *
 * @example
 * ```ts
 * import { serveClients } from "@continuum-cache/conformance/servers";
 * import { Cache, type Transport } from "@continuum-cache/core";
 *
 * declare function transportTo(port: number): Transport;
 *
 * serveClients(({ port }) => new Cache({ transport: transportTo(port) }));
 * ```
 */
export function serveClients(makeClient: MakeClient): void {
  const sessions = new Map<string, ClientSession>();
  const stalls = startStallMeter();
  const tell = (answer: ClientAnswer): void => {
    if (process.connected) process.send?.(answer);
  };

  const obey = async (command: ClientCommand): Promise<unknown> => {
    if (command.does === "open") {
      const opened = startSession(command.task, makeClient, stalls);
      sessions.set(command.session, opened);
      return opened.ready();
    }
    const session = sessions.get(command.session);
    if (!session) throw new Error(`There is no session ${command.session}`);
    switch (command.does) {
      case "go":
        return session.go();
      case "settle":
        return session.settle(command.withinMs);
      case "finish":
        sessions.delete(command.session);
        return session.finish();
    }
  };

  process.on("message", (command: ClientCommand) => {
    obey(command).then(
      (value) => tell({ id: command.id, value }),
      (error: unknown) => tell({ id: command.id, error: textOf(error) }),
    );
  });
  process.on("unhandledRejection", (error) => tell({ unhandled: textOf(error) }));
  process.on("uncaughtException", (error) => tell({ unhandled: textOf(error) }));
  // Nobody is left to ask for anything.
  process.on("disconnect", () => process.exit(0));
  tell({ serves: true });
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
