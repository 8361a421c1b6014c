import type { Action, Bystander, Call, Change, ClientLog, History, Status } from "./history.ts";

/** One line of a saved history. */
type Line =
  | ({ readonly line: "history" } & Pick<History, "seed" | "variant" | "longestStallMs">)
  | ({ readonly line: "client" } & Pick<ClientLog, "client" | "settled" | "longestStallMs">)
  | ({ readonly line: "bystander" } & Bystander)
  | ({ readonly line: "call" } & Call)
  | ({ readonly line: "final" } & Call)
  | ({ readonly line: "status"; readonly client: number } & Status)
  | ({ readonly line: "change"; readonly client: number } & Change)
  | ({ readonly line: "action" } & Action);

/** A history as records: one that failed can be kept, searched and checked again. */
export function linesOf(history: History): object[] {
  const { seed, variant, longestStallMs: stallMs, clients, finals, nemesis, bystanders } = history;
  const lines: Line[] = [
    { line: "history", seed, variant, longestStallMs: stallMs },
    ...bystanders.map((one): Line => ({ line: "bystander", ...one })),
    ...nemesis.map((action): Line => ({ line: "action", ...action })),
    ...clients.flatMap(({ client, calls, statuses, changes, settled, longestStallMs }): Line[] => [
      { line: "client", client, settled, longestStallMs },
      ...changes.map((change): Line => ({ line: "change", client, ...change })),
      ...statuses.map((status): Line => ({ line: "status", client, ...status })),
      ...calls.map((call): Line => ({ line: "call", ...call })),
    ]),
    ...finals.map((call): Line => ({ line: "final", ...call })),
  ];
  return lines;
}

/**
 * Reads a kept history: the records of `linesOf`, one a line. Other lines of the file, such as its plan, are left out.
 *
 * @throws SyntaxError when a line is no JSON, or the first record is missing.
 */
export function parseHistory(text: string): History {
  const lines = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
  const of = <Name extends Line["line"]>(name: Name) =>
    lines.filter((line): line is Extract<Line, { line: Name }> => line.line === name).map(withoutLine);
  const [header] = of("history");
  if (!header) throw new SyntaxError("Expected a saved history to begin with its seed and variant");
  const clients = of("client").map(
    ({ client, settled, longestStallMs }): ClientLog => ({
      client,
      settled,
      longestStallMs,
      calls: of("call").filter((call) => call.client === client),
      statuses: of("status").filter(ownedBy(client)).map(withoutClient),
      changes: of("change").filter(ownedBy(client)).map(withoutClient),
    }),
  );
  return {
    ...header,
    clients,
    finals: of("final"),
    nemesis: of("action"),
    bystanders: of("bystander"),
  };
}

const withoutLine = <Item extends Line>({ line: _, ...rest }: Item): Omit<Item, "line"> => rest;
const withoutClient = <Item extends { client: number }>({ client: _, ...rest }: Item): Omit<Item, "client"> => rest;
const ownedBy =
  (client: number) =>
  (line: { readonly client: number }): boolean =>
    line.client === client;
