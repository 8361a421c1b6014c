import { tcpTransport } from "@continuum-cache/transport-tcp";
import { SyncLog } from "../../src/log/sync-log.ts";

// A process that appends numbers one after the other, and prints the result of each.

const [url = "", instanceId = ""] = process.argv.slice(2);
const transport = tcpTransport({ url });
const log = new SyncLog<number>({ transport }, { instanceId, key: "log", lease: "1s" });
log.on("error", ({ operation, error }) => console.log("error", operation, error.name));

for (let n = 0; ; n++) {
  try {
    const appended = await log.append(n);
    console.log(appended.pending ? "pending" : `accepted ${appended.seq}`);
  } catch (error) {
    console.log("rejected", error instanceof Error ? error.name : "");
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
