import { startUpstashLocal } from "@continuum-cache/upstash-local";
import type { GatewayAnswer, GatewayOrder } from "./gateway-process.ts";

/** The program of a gateway process: a local Upstash that does as its parent says, and ends with it. */
const [redisUrl = "", port = "0"] = process.argv.slice(2);
const server = await startUpstashLocal({ port: Number(port), token: "local", redisUrl, timeout: "10s" });

const tell = (answer: GatewayAnswer): void => void process.send?.(answer);

process.on("message", ({ id, order, fault }: GatewayOrder) => {
  if (order === "fault") server.fault(fault);
  if (order === "pause") server.pause();
  if (order === "resume") server.resume();
  tell({ id, requests: server.usage.requests });
});
process.on("disconnect", () => process.exit());
tell({ url: server.url });
