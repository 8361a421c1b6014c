import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { serveFleet } from "../fleet/fleet.ts";
import { type ClientRun, createClient, type Token } from "./client.ts";
import { type ContenderName, factsOf } from "./clients/catalog.ts";
import type { ServerAddress } from "./contender.ts";

/** What a client process is told. */
export interface ClientTask extends Omit<ClientRun, "hasReceipts"> {
  readonly contender: ContenderName;
  readonly server: ServerAddress;
  /** Where its records go: JSON, one a line. */
  readonly file: string;
}

serveFleet<ClientTask, Token, undefined>(({ contender: name, server, file, ...run }, pass) => {
  const { open, hasReceipts } = factsOf(name);
  const contender = open(server);
  const out = createWriteStream(file);
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.length > 0) out.write(`${lines.join("\n")}\n`);
    lines = [];
  };
  const client = createClient(
    contender,
    { ...run, hasReceipts },
    (record) => {
      if (lines.push(JSON.stringify(record)) === 1_000) flush();
    },
    pass,
  );
  const done = async (): Promise<undefined> => {
    await client.run();
    flush();
    out.end();
    await once(out, "finish");
    await contender.close();
  };
  return { hear: client.take, done: done() };
});
