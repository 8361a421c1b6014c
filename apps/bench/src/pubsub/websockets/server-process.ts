import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { PubSub } from "@continuum-cache/pubsub";
import { createWebSocketBridge } from "@continuum-cache/pubsub/websocket";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { WebSocketServer } from "ws";
import { serveFleet } from "../../ratelimit/fleet.ts";
import type { Note, ServerFindings, Task } from "./notes.ts";
import { channels, history } from "./plan.ts";

serveFleet<Task, Note, ServerFindings>((task, pass) => {
  if (task.is !== "server") throw new TypeError(`Expected the task of a server, got one of ${task.is}`);
  const { plan, port, redisUrl } = task;
  const { maxBufferedBytes, patienceMs } = plan;
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let connected = (): void => {};

  const done = async (): Promise<ServerFindings> => {
    const transport = tcpTransport({ url: redisUrl });
    const pubsub = new PubSub({ transport });
    const bridge = createWebSocketBridge(pubsub, {
      authorize: (channel) => channel === channels.all || channel === channels.wide,
      replay: (channel) => channel === channels.all && history,
      maxBufferedBytes,
      patience: `${patienceMs}ms`,
      onError: (error) => console.error(error),
    });
    const server = new WebSocketServer({
      host: "127.0.0.1",
      port,
      maxPayload: 16_384,
      clientTracking: false,
      backlog: 4_096,
    });
    server.on("connection", (socket) => bridge.accept(socket, undefined));
    await once(server, "listening");

    const rss = { before: process.memoryUsage.rss(), connected: 0, peak: 0, after: 0 };
    const seen = { buffered: 0, lagging: 0 };
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    connected = () => {
      rss.connected = process.memoryUsage.rss();
      delay.reset();
    };
    const sampling = setInterval(() => {
      const { bufferedBytes, lagging, tooSlow } = bridge.stats();
      rss.peak = Math.max(rss.peak, process.memoryUsage.rss());
      seen.buffered = Math.max(seen.buffered, bufferedBytes);
      seen.lagging = Math.max(seen.lagging, lagging);
      pass({ is: "sample", lagging, tooSlow });
    }, 500);
    pass({ is: "listening" });
    await stopped;
    clearInterval(sampling);
    delay.disable();
    rss.after = process.memoryUsage.rss();
    const { tooSlow } = bridge.stats();
    await bridge.close();
    server.close();
    await pubsub.close();
    await transport.close();
    const longestTurnMs = delay.max / 1e6;
    return { is: "server", rss, peakBuffered: seen.buffered, peakLagging: seen.lagging, tooSlow, longestTurnMs };
  };
  return {
    hear({ is }) {
      if (is === "stop") stop();
      if (is === "connected") connected();
    },
    done: done(),
  };
});
