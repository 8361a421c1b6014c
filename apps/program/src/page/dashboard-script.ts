/** Third part: how the service is doing, asked for every two seconds while the page is seen. */
export const dashboardScript: string = `
const since = (ms) => {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 90) return seconds + " s";
  return seconds < 5400 ? Math.round(seconds / 60) + " min" : (seconds / 3600).toFixed(1) + " h";
};

const kilobytes = (bytes) => (bytes < 1024 ? bytes + " B" : (bytes / 1024).toFixed(1) + " KiB");

const tile = (name, value, detail = "") =>
  element("div", {}, element("dt", { textContent: name }), element("dd", {}, value), element("span", { className: "quiet", textContent: detail }));

const tiles = ({ backend, pending, stats, info, watch, outage, queue }) => {
  const last = watch.samples.at(-1);
  const state = outage?.state === "recovering" ? "recovering" : backend;
  const backendSince = watch.turns[0]?.atMs ?? watch.sinceMs;
  const reads = stats.hits + stats.misses;
  const answers = last?.answers;
  return [
    tile("Backend", element("span", { id: "backend", className: "backend " + backend, textContent: state }), "for " + since(backendSince)),
    tile("Hit rate", reads === 0 ? "–" : (stats.hitRate * 100).toFixed(0) + " %", grouped(stats.hits) + " hits, " + grouped(stats.misses) + " misses"),
    tile("Commands", last ? perSecond(last.commandsPerSecond) : "–", grouped(stats.commands) + " in " + grouped(stats.trips) + " trips"),
    tile("Cache latency p50", milliseconds(stats.latency.p50), "p95 " + milliseconds(stats.latency.p95) + ", p99 " + milliseconds(stats.latency.p99)),
    tile("Answers p95", answers ? milliseconds(answers.p95) : "–", grouped(watch.requests) + " requests"),
    tile("Errors", grouped(stats.errors), "of the cache, since the start"),
    tile("Refused by limits", grouped(watch.limited), "of " + grouped(watch.requests) + " requests"),
    tile("Not confirmed yet", grouped(pending), outage ? "journal " + grouped(outage.journal.entries) + " entries, " + kilobytes(outage.journal.bytes) : "the journal is empty"),
    queue
      ? tile("Queue", grouped(queue.depth + queue.delayed + queue.pending), grouped(queue.inFlight) + " in work, " + grouped(queue.dead) + " dead")
      : tile("Queue", "–", "nobody tells"),
    tile("Keys", info ? grouped(info.keys) : "–", info ? "" : "the server does not tell"),
  ];
};

const turnItem = ({ atMs, to, reason, replayed }) => {
  const text = to === "local" ? "Local memory: " + reason : "Primary again" + (replayed === undefined ? "" : ", " + grouped(replayed) + " writes told");
  return element("li", { className: to }, element("span", { textContent: text }), timeOf(new Date(atMs)));
};

const showStats = (stats) => {
  const { place, knowledge, watch, primary } = stats;
  byId("about").textContent =
    grouped(knowledge.concepts) + " concepts of WordNet 3.1, searched through continuum-cache";
  byId("tiles").replaceChildren(...tiles(stats));
  byId("turns").replaceChildren(...watch.turns.map(turnItem));
  byId("no-turns").hidden = watch.turns.length > 0;
  byId("place").textContent = "Values live in " + place + ".";
  byId("cut").hidden = primary === null;
  byId("cut").textContent = primary?.isCut ? "Restore the server" : "Cut the server off";
  byId("cut").setAttribute("aria-pressed", String(primary?.isCut ?? false));
  chart.samples = watch.samples;
  drawChart();
};

const refreshStats = async () => {
  try {
    showStats(await ask("/api/stats"));
  } catch (error) {
    byId("place").textContent = error.message;
  }
};

const poll = async () => {
  if (document.visibilityState === "visible") await refreshStats();
  setTimeout(poll, 2_000);
};

const askWith = (method, path, body) =>
  ask(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** What a press has done is told beside the buttons. */
const onPress = (id, act) =>
  byId(id).addEventListener("click", async () => {
    try {
      byId("done").textContent = await act();
    } catch (error) {
      byId("done").textContent = error.message;
    }
    void refreshStats();
  });

onPress("invalidate", async () => {
  const { deleted } = await askWith("POST", "/api/invalidate", { pattern: "query:*" });
  return deleted === 1 ? "1 cached query forgotten." : grouped(deleted) + " cached queries forgotten.";
});

onPress("cut", async () => {
  const { isCut } = await askWith("PUT", "/api/primary", { cut: byId("cut").getAttribute("aria-pressed") !== "true" });
  return isCut ? "The server is cut off: searches go on in local memory." : "The server is back: it is told what it has missed.";
});
`;
