import { serveSessions } from "../fleet/serve.ts";
import { type ClientTask, type MakeClient, startSession } from "./client-session.ts";

/** Makes this process one that hosts the clients of histories. To be called once. */
export const serveClients = (makeClient: MakeClient): void =>
  serveSessions<ClientTask, never>((task, { stalls }) => startSession(task, makeClient, stalls));
