/** Second part: how the cache is doing, asked for every two seconds while the page is seen. */
export const dashboardScript: string = `
const showStats = ({ backend, place, pending, stats, info, knowledge }) => {
  const reads = stats.hits + stats.misses;
  byId("about").textContent =
    grouped(knowledge.concepts) + " concepts of WordNet 3.1, searched through continuum-cache";
  byId("rate").textContent = reads === 0 ? "–" : (stats.hitRate * 100).toFixed(0) + " %";
  byId("rate-bar").style.width = stats.hitRate * 100 + "%";
  const facts = [
    ["Backend", element("span", { className: "backend " + backend, textContent: backend })],
    ["Keys", info ? grouped(info.keys) : "–"],
    ["Hits / misses", grouped(stats.hits) + " / " + grouped(stats.misses)],
    ["Commands sent", grouped(stats.commands)],
    ["Round trips", grouped(stats.trips)],
    ["Latency p50", milliseconds(stats.latency.p50)],
    ["Latency p95", milliseconds(stats.latency.p95)],
    ["Errors", grouped(stats.errors)],
  ];
  if (pending > 0) facts.push(["Not confirmed yet", grouped(pending)]);
  byId("facts").replaceChildren(
    ...facts.map(([name, value]) => element("div", {}, element("dt", { textContent: name }), element("dd", {}, value))),
  );
  byId("place").textContent = "Values live in " + place + ".";
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

byId("invalidate").addEventListener("click", async () => {
  const told = byId("invalidated");
  try {
    const { deleted } = await ask("/api/invalidate", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ pattern: "query:*" }),
    });
    told.textContent = deleted === 1 ? "1 cached query forgotten." : grouped(deleted) + " cached queries forgotten.";
  } catch (error) {
    told.textContent = error.message;
  }
  void refreshStats();
});
`;
