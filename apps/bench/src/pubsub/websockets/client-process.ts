import { setTimeout as sleep } from "node:timers/promises";
import { serveFleet } from "../../ratelimit/fleet.ts";
import { connectListener, type ListenerClient } from "./listener-client.ts";
import type { ClientFindings, Note, Task } from "./notes.ts";
import { roleOf } from "./plan.ts";

/** How many connect at a time. */
const atOnce = 50;
/** How long the last messages may take, and those who come back. */
const patienceMs = 120_000;

serveFleet<Task, Note, ClientFindings>((task, pass) => {
  if (task.is !== "clients") throw new TypeError(`Expected the task of clients, got one of ${task.is}`);
  const { plan, port, from, to } = task;
  const numbers = Array.from({ length: to - from }, (_, at) => from + at);
  const clients = new Map<number, ListenerClient>();
  const latenciesMs: number[] = [];
  let heard = 0;
  const role = (number: number) => roleOf(number, plan);
  /** One of a hundred is enough to tell how long it takes. */
  const onLatency = (ms: number): void => {
    if (++heard % 100 === 0) latenciesMs.push(ms);
  };

  const connectAll = async (): Promise<void> => {
    const left = [...numbers];
    const worker = async (): Promise<void> => {
      for (let number = left.shift(); number !== undefined; number = left.shift()) {
        const isHealthy = ["healthy", "hears all"].includes(role(number));
        const hearsWide = role(number) !== "healthy";
        const url = `ws://127.0.0.1:${port}/`;
        clients.set(number, await connectListener({ url, hearsWide, onLatency: isHealthy ? onLatency : () => {} }));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    for (const [number, client] of clients)
      if (role(number).includes("frozen") || role(number) === "thaws") client.freeze();
  };
  const thaw = (): void => {
    for (const [number, client] of clients) if (role(number) === "thaws") client.thaw();
  };

  let publishedAll = (_: { readonly all: number; readonly wide: number }): void => {};
  const published = new Promise<{ readonly all: number; readonly wide: number }>((resolve) => {
    publishedAll = resolve;
  });
  const done = async (): Promise<ClientFindings> => {
    const total = await published;
    const isComplete = (client: ListenerClient): boolean => client.messages === total.all && !client.isBroken;
    // A client that the server has given up finds out only by reading.
    for (const [number, client] of clients) if (role(number) === "stays frozen") client.thaw();
    const addsUp = (number: number, { wide }: ListenerClient): boolean =>
      role(number) === "healthy" || role(number) === "stays frozen" || wide.messages + wide.missed === total.wide;
    const isAllThere = (): boolean => [...clients].every(([number, one]) => isComplete(one) && addsUp(number, one));
    for (const startedAt = Date.now(); !isAllThere() && Date.now() - startedAt < patienceMs; ) await sleep(200);
    const all = [...clients];
    const findings: ClientFindings = {
      is: "clients",
      clients: all.length,
      messages: all.reduce((sum, [, { messages }]) => sum + messages, 0),
      incomplete: all.filter(([, client]) => !isComplete(client)).length,
      miscounted: all.filter(([number, client]) => !addsUp(number, client)).length,
      toldMissed: all.reduce((sum, [number, { wide }]) => sum + (role(number) === "thaws" ? wide.missed : 0), 0),
      resumed: all.filter(([, client]) => client.hasReturned && isComplete(client)).length,
      latenciesMs: latenciesMs.sort((one, other) => one - other),
    };
    for (const [, client] of all) client.close();
    return findings;
  };
  return {
    hear(note) {
      if (note.is === "connect") void connectAll().then(() => pass({ is: "connected" }));
      if (note.is === "thaw") thaw();
      if (note.is === "published") publishedAll(note);
    },
    done: done(),
  };
});
