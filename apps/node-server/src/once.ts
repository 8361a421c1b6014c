import type { Memory, SearchResult } from "@continuum-cache/program";

/** The fields of every answer that say how it came about. */
interface Told {
  readonly cache: "hit" | "miss";
  readonly ms: number;
}

/** One line of the table: the same request, sent twice. */
interface Row {
  readonly what: string;
  readonly first: Told;
  readonly second: Told;
  readonly outcome: string;
}

const queries = ["dog that herds sheep", "musical instrument with strings", "move quickly on foot"];

/**
 * Sends a few requests twice to a running service, over HTTP as any client does, and prints how it answered.
 *
 * @returns the problems: a second answer that was no hit, an empty result, a failure.
 */
export async function runOnce(url: string, log: (line: string) => void): Promise<string[]> {
  try {
    return await ask(url, log);
  } catch (error) {
    return [(error as Error).message];
  }
}

async function ask(url: string, log: (line: string) => void): Promise<string[]> {
  const browser = createBrowser(url);
  const rows: Row[] = [];
  const firstSession = await browser.get<Told>("/api/session");

  let conceptId = "";
  for (const query of queries) {
    const path = `/api/search?q=${encodeURIComponent(query)}`;
    const [first, second] = await browser.twice<Told & { results: SearchResult[] }>(path);
    const [best] = second.results;
    conceptId ||= best?.conceptId ?? "";
    rows.push({ what: query, first, second, outcome: best?.lemmas.join(", ") ?? "" });
  }

  if (conceptId !== "") {
    const [first, second] = await browser.twice<Told & { memory: Memory }>(`/api/memories/${conceptId}`);
    const relations = second.memory.relations.reduce((sum, { total }) => sum + total, 0);
    rows.push({ what: `memory ${conceptId}`, first, second, outcome: `${relations} relations` });
  }

  const secondSession = await browser.get<Told & { session: { recent: unknown[] } }>("/api/session");
  const searches = secondSession.session.recent.length;
  const outcome = searches > 0 ? `${searches} recent searches` : "";
  rows.push({ what: "session", first: firstSession, second: secondSession, outcome });

  const { stats, backend, place, info } = await browser.get<Stats>("/api/stats");
  log("");
  for (const line of tableOf(rows)) log(line);
  log("");
  log(`Hit rate ${(stats.hitRate * 100).toFixed(0)} %: ${stats.hits} hits, ${stats.misses} misses of all reads`);
  log(`Backend ${backend}: ${place}`);
  log(`${stats.commands} commands in ${stats.trips} round trips; ${info?.keys ?? "unknown"} keys`);
  return rows.flatMap(problemsOf);
}

interface Stats {
  readonly backend: string;
  readonly place: string;
  readonly stats: { hits: number; misses: number; hitRate: number; commands: number; trips: number };
  readonly info: { readonly keys: number } | null;
}

/** Keeps the one cookie that the service sets. */
function createBrowser(url: string): {
  get<Body>(path: string): Promise<Body>;
  twice<Body>(path: string): Promise<[Body, Body]>;
} {
  let cookie = "";
  const get = async <Body>(path: string): Promise<Body> => {
    const response = await fetch(url + path, { headers: { cookie }, signal: AbortSignal.timeout(30_000) });
    cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? cookie;
    if (!response.ok) throw new Error(`GET ${path} was answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Body;
  };
  return { get, twice: async (path) => [await get(path), await get(path)] };
}

function problemsOf({ what, second, outcome }: Row): string[] {
  return [
    ...(second.cache === "hit" ? [] : [`Expected the second answer to "${what}" to be a hit, got a ${second.cache}`]),
    ...(outcome === "" ? [`Expected results for "${what}", got none`] : []),
  ];
}

function tableOf(rows: readonly Row[]): string[] {
  const cell = ({ cache, ms }: Told): string => `${cache.padEnd(5)}${ms.toFixed(2).padStart(6)} ms`;
  const line = (what: string, first: string, second: string, outcome: string): string =>
    `${what.padEnd(33)}${first.padEnd(17)}${second.padEnd(17)}${outcome}`;
  return [
    line("query", "1st", "2nd", "top result"),
    ...rows.map(({ what, first, second, outcome }) => line(what, cell(first), cell(second), outcome)),
  ];
}
