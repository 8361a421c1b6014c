import type { WebSocketRun } from "./run.ts";

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const count = (number: number): string => number.toLocaleString("en-US");

/** What must hold whatever the machine; empty when all does. */
export function brokenPromises({ plan, published, server, clients }: WebSocketRun): string[] {
  const expected = plan.clients * published.all;
  /** Each socket may hold its bound, and one more message while that is written. */
  const bound = plan.frozen * (plan.maxBufferedBytes + plan.wideBytes);
  return [
    ...(clients.messages === expected
      ? []
      : [`${count(clients.messages)} of ${count(expected)} messages have arrived`]),
    ...(clients.incomplete === 0 ? [] : [`${clients.incomplete} clients did not get everything once and in order`]),
    ...(clients.miscounted === 0 ? [] : [`${clients.miscounted} clients were told wrong counts`]),
    ...(server.peakBuffered <= bound ? [] : [`${mib(server.peakBuffered)} waited in sockets, above ${mib(bound)}`]),
    ...(server.peakLagging >= plan.frozen
      ? []
      : [`only ${server.peakLagging} of ${plan.frozen} frozen clients lagged`]),
  ];
}

/** One run, in Markdown. */
export function webSocketTable({ plan, published, server, clients }: WebSocketRun): string {
  const quantile = (of: number): string => {
    const ms =
      clients.latenciesMs[Math.min(clients.latenciesMs.length - 1, Math.floor(clients.latenciesMs.length * of))];
    return ms === undefined ? "–" : String(ms);
  };
  const { rss } = server;
  const rows: [string, string][] = [
    ["clients, of them frozen", `${count(plan.clients)}, ${count(plan.frozen)}`],
    [
      "published to all (with a history), to the frozen and as many others",
      `${count(published.all)}, ${count(published.wide)}`,
    ],
    ["messages to all that have arrived", `${count(clients.messages)} of ${count(plan.clients * published.all)}`],
    ["clients without every message, once and in order", String(clients.incomplete)],
    ["clients that were told wrong counts", String(clients.miscounted)],
    ["frozen clients closed by their patience, back with everything", `${server.tooSlow}, ${clients.resumed}`],
    ["missed by the thawed ones, as they were told exactly", count(clients.toldMissed)],
    ["bound for the frozen (`maxBufferedBytes` each)", mib(plan.frozen * plan.maxBufferedBytes)],
    ["most that waited in all sockets", mib(server.peakBuffered)],
    ["memory of the server: before, connected", `${mib(rss.before)}, ${mib(rss.connected)}`],
    ["memory of the server: peak, after", `${mib(rss.peak)}, ${mib(rss.after)}`],
    [
      "from publishing to a healthy client, p50, p99, longest, ms",
      `${quantile(0.5)}, ${quantile(0.99)}, ${quantile(1)}`,
    ],
    ["longest turn of the server's event loop, ms", server.longestTurnMs.toFixed(0)],
  ];
  return ["| | |", "| --- | ---: |", ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join("\n");
}
