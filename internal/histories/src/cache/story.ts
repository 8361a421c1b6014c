import { compileGlob } from "@continuum-cache/core/kit";
import { type Call, type Effect, type History, observer } from "./history.ts";
import { nameOf, type Violation } from "./violation.ts";

/**
 * Tells a violation in as few lines as explain it: what was promised, what went wrong around it, and every call on its
 * key in the order of time.
 */
export function tellStory(history: History, violation: Violation): string {
  const { seed, variant, clients, finals, nemesis } = history;
  const startUs = Math.min(...clients.flatMap(({ calls }) => calls.map((call) => call.startUs)));
  const time = (fromUs: number, toUs = fromUs): string =>
    `${ms(fromUs - startUs)}${toUs === fromUs ? "" : `–${ms(toUs - startUs)}`} ms`;
  const calls = [...clients.flatMap((log) => log.calls), ...finals].filter(
    (call) => violation.calls.includes(call) || (violation.key !== undefined && touches(call, violation.key)),
  );
  const lines = [
    ...nemesis.map(({ startUs: at, endUs, fault, client, relapse }) => {
      const target = client === undefined ? "all" : `client ${client}`;
      return { at, text: `${time(at, endUs)}  ${relapse ? "again " : ""}${fault} for ${target}` };
    }),
    ...clients.flatMap(({ client, changes }) =>
      changes.map(({ atUs, from, to, reason }) => ({
        at: atUs,
        text: `${time(atUs)}  client ${client}: ${from}→${to} (${reason})`,
      })),
    ),
    ...clients.flatMap(({ client, statuses }) =>
      statuses.map(({ atUs, pending }, at) => ({
        at: atUs,
        text:
          pending === 0 && at > 0 && statuses[at - 1]?.pending !== 0
            ? `${time(atUs)}  client ${client}: 0 pending`
            : "",
      })),
    ),
    ...calls.map((call) => ({
      at: call.startUs,
      text: [
        `${time(call.startUs, call.endUs)}${violation.calls.includes(call) ? "* " : "  "}${nameOf(call)}: `,
        `${describe(call, violation.key)}${call.client === observer ? "" : `, ${call.pending} pending`}`,
      ].join(""),
    })),
  ]
    .filter(({ text }) => text !== "")
    .sort((left, right) => left.at - right.at);
  const forgets = variant.durable ? "" : ", server forgets when killed";
  return [
    `${violation.kind}: ${violation.detail}`,
    `  seed ${seed}, ${variant.connection}, ${variant.schedule}${forgets}`,
    ...lines.map(({ text }) => `  ${text}`),
  ].join("\n");
}

const ms = (us: number): string => (us / 1_000).toFixed(1);

function touches(call: Call, key: string): boolean {
  return call.effects.some((effect) => isAbout(effect, key));
}

const isAbout = (effect: Effect, key: string): boolean =>
  effect.kind === "invalidate" ? compileGlob(effect.glob)(key) : effect.key === key;

function describe(call: Call, key: string | undefined): string {
  const effects = key === undefined ? call.effects : call.effects.filter((effect) => isAbout(effect, key));
  const rejected = call.outcome === "ok" ? [] : [`rejected with ${call.outcome.error}`];
  return [...effects.map(tellEffect), ...rejected].join(", ");
}

function tellEffect(effect: Effect): string {
  switch (effect.kind) {
    case "write":
      return `set ${effect.value}`;
    case "load":
      return `loaded ${effect.value}`;
    case "read":
      return effect.value === null ? "found nothing" : `found ${effect.value}`;
    case "delete":
      return "deleted";
    case "invalidate":
      return `deleted ${effect.glob}`;
    case "add":
      return `+${effect.by}`;
    case "count":
      return `counted ${effect.value}`;
    case "push":
      return `pushed ${effect.values.join(" ")}`;
    case "list":
      return `listed ${effect.values.join(" ")}`;
  }
}
