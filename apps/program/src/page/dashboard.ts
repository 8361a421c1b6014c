import type { InvalidateAnswer, PrimaryAnswer, StatsAnswer } from "../api.ts";
import type { BackendTurn } from "../watch/backend-log.ts";
import { ask, askWith, messageOf } from "./ask.ts";
import { perSecond, showSamples } from "./chart.ts";
import { byId, element, grouped, milliseconds, timeOf } from "./elements.ts";

const pollMs = 2_000;

/** Asks how the service is doing, and shows it. */
export async function refreshStats(): Promise<void> {
  try {
    showStats(await ask("/api/stats"));
  } catch (error) {
    byId("place").textContent = messageOf(error);
  }
}

/** Refreshes the statistics for as long as the page is visible. */
export async function pollStats(): Promise<void> {
  if (document.visibilityState === "visible") await refreshStats();
  setTimeout(pollStats, pollMs);
}

function showStats(stats: StatsAnswer): void {
  const { place, knowledge, watch, primary } = stats;
  byId("about").textContent =
    `${grouped(knowledge.concepts)} concepts of WordNet 3.1, searched through continuum-cache`;
  byId("tiles").replaceChildren(...tiles(stats));
  byId("turns").replaceChildren(...watch.turns.map(turnItem));
  byId("no-turns").hidden = watch.turns.length > 0;
  byId("place").textContent = `Values live in ${place}.`;
  const cut = byId("cut");
  cut.hidden = primary === null;
  cut.textContent = primary?.isCut ? "Restore the server" : "Cut the server off";
  cut.ariaPressed = String(primary?.isCut ?? false);
  showSamples(watch.samples);
}

function tiles({ backend, pending, stats, info, watch, outage, queue }: StatsAnswer): HTMLElement[] {
  const { hits, misses, latency } = stats;
  const last = watch.samples.at(-1);
  const answers = last?.answers;
  const state = outage?.state === "recovering" ? "recovering" : backend;
  const backendSince = watch.turns[0]?.atMs ?? watch.sinceMs;
  return [
    tile(
      "Backend",
      element("span", { id: "backend", className: `backend ${backend}`, textContent: state }),
      `for ${since(backendSince)}`,
    ),
    tile(
      "Hit rate",
      hits + misses === 0 ? "–" : `${(stats.hitRate * 100).toFixed(0)} %`,
      `${grouped(hits)} hits, ${grouped(misses)} misses`,
    ),
    tile(
      "Commands",
      last ? perSecond(last.commandsPerSecond) : "–",
      `${grouped(stats.commands)} in ${grouped(stats.trips)} trips`,
    ),
    tile(
      "Cache latency p50",
      milliseconds(latency.p50),
      `p95 ${milliseconds(latency.p95)}, p99 ${milliseconds(latency.p99)}`,
    ),
    tile("Answers p95", answers ? milliseconds(answers.p95) : "–", `${grouped(watch.requests)} requests`),
    tile("Errors", grouped(stats.errors), "of the cache, since the start"),
    tile("Refused by limits", grouped(watch.limited), `of ${grouped(watch.requests)} requests`),
    tile(
      "Not confirmed yet",
      grouped(pending),
      outage
        ? `journal ${grouped(outage.journal.entries)} entries, ${kilobytes(outage.journal.bytes)}`
        : "the journal is empty",
    ),
    queue
      ? tile(
          "Queue",
          grouped(queue.depth + queue.delayed + queue.pending),
          `${grouped(queue.inFlight)} in work, ${grouped(queue.dead)} dead`,
        )
      : tile("Queue", "–", "not available"),
    info ? tile("Keys", grouped(info.keys)) : tile("Keys", "–", "not available"),
  ];
}

function tile(name: string, value: Node | string, detail = ""): HTMLElement {
  const small = element("span", { className: "quiet", textContent: detail });
  return element("div", {}, element("dt", { textContent: name }), element("dd", {}, value), small);
}

function turnItem({ atMs, to, reason, replayed }: BackendTurn): HTMLElement {
  const back = `Primary again${replayed === undefined ? "" : `, ${grouped(replayed)} writes replayed`}`;
  const textContent = to === "local" ? `Local memory: ${reason}` : back;
  return element("li", { className: to }, element("span", { textContent }), timeOf(new Date(atMs)));
}

function since(ms: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1_000));
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}

const kilobytes = (bytes: number): string => (bytes < 1_024 ? `${bytes} B` : `${(bytes / 1_024).toFixed(1)} KiB`);

/** Says beside the buttons what a click has done. */
function onClick(button: HTMLElement, act: () => Promise<string>): void {
  button.addEventListener("click", async () => {
    byId("done").textContent = await act().catch(messageOf);
    void refreshStats();
  });
}

onClick(byId("invalidate"), async () => {
  const { deleted } = await askWith<InvalidateAnswer>("POST", "/api/invalidate", { pattern: "query:*" });
  return deleted === 1 ? "1 cached query forgotten." : `${grouped(deleted)} cached queries forgotten.`;
});

onClick(byId("cut"), async () => {
  const { isCut } = await askWith<PrimaryAnswer>("PUT", "/api/primary", { cut: byId("cut").ariaPressed !== "true" });
  return isCut
    ? "The server is cut off: searches go on in local memory."
    : "The server is back: the cache replays what it has missed.";
});
