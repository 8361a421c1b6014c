import { type Session, serveSessions, type TaskBase } from "../fleet/serve.ts";
import { type ClientRun, createClient, type Token } from "./client.ts";
import { type ContenderName, factsOf } from "./clients/catalog.ts";
import type { ServerAddress } from "./contender.ts";
import type { LimitRecord } from "./record.ts";

/** What one process of a run is told. */
export interface LimiterTask extends TaskBase {
  readonly run: Omit<ClientRun, "hasReceipts">;
  readonly contender: ContenderName;
  readonly server: ServerAddress;
}

/** What a process is asked for. It emits the tokens of calls that another process may give back. */
export interface LimiterApi extends Session {
  run(decisions: number): Promise<void>;
  take(token: Token): void;
  stop(): Promise<void>;
}

serveSessions<LimiterTask, LimitRecord>(({ contender: name, server, run }, { records, emit }): LimiterApi => {
  const { open, hasReceipts } = factsOf(name);
  const contender = open(server);
  const client = createClient(contender, { ...run, hasReceipts }, records.write, emit);
  return {
    run: client.run,
    take: client.take,
    async stop() {
      await contender.close();
    },
  };
});
