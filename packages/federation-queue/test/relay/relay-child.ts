import { tcpTransport } from "@continuum-cache/transport-tcp";
import { relay } from "../../src/relay/relay.ts";

// A process that relays until it is killed.

const [from = "", to = "", key = ""] = process.argv.slice(2);
relay(
  { transport: tcpTransport({ url: from }) },
  { transport: tcpTransport({ url: to }) },
  { key, batch: 20, pollInterval: "500ms" },
);
