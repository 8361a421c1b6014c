import { CommandError, isCommandError } from "@continuum-cache/core";
import { defineScript, type Script, type ScriptContext, serverTimeUs } from "@continuum-cache/core/kit";
import { decodeAdmissions } from "./admissions.ts";
import type { Counter, CounterRule, CounterState, OpenCounter } from "./counter.ts";
import { digits, timeWidth } from "./digits.ts";
import { decideLua, refundLua, refusal } from "./limit-script-lua.ts";

// The TypeScript face of the scripts of a limit. Their arguments and replies are described in `limit-script-lua`.

/** The scripts of a counter. */
export interface LimitScripts {
  readonly decide: Script;
  readonly refund: Script;
}

/**
 * Creates the scripts of a counter. Their Lua is assembled on first use: most programs use one counter at most.
 */
export function createLimitScripts(counter: Counter): LimitScripts {
  let decideScript: Script | undefined;
  let refundScript: Script | undefined;
  return {
    get decide() {
      decideScript ??= defineScript({
        name: `ratelimit-${counter.name}`,
        keys: "any",
        lua: decideLua(counter),
        memory: (context) => decideBatch(counter, context),
      });
      return decideScript;
    },
    get refund() {
      refundScript ??= defineScript({
        name: `ratelimit-${counter.name}-refund`,
        keys: 2,
        lua: refundLua(counter),
        memory: (context) => refund(counter, context),
      });
      return refundScript;
    },
  };
}

interface Look {
  readonly key: string;
  readonly state: OpenCounter;
  readonly cost: number;
  readonly isMerged: boolean;
  readonly before: CounterState;
  readonly lookedUs: number;
}

/** The part of a call that concerns one key. */
interface Question {
  readonly rule: Omit<CounterRule, "spanUs">;
  readonly cost: number;
  readonly admissions: string;
}

/** The time by which calls are decided. It is replaced by the server's own when a decision depends on it. */
interface BatchTime {
  readonly begunUs: number;
  nowUs: number;
  spanUs: number;
  /** How many calls were decided before the server's time was read. */
  estimated: number | undefined;
}

const wordsPerKey = 5;

function decideBatch(counter: Counter, context: ScriptContext): string {
  const word = (at: number): string => String(context.args[at] ?? "");
  const isAsked = word(0) === "";
  const begunUs = isAsked ? serverTimeUs(context.call("TIME")) : Number(word(0));
  const time: BatchTime = {
    begunUs,
    nowUs: begunUs,
    spanUs: isAsked ? 0 : Number(word(1)),
    estimated: isAsked ? 0 : undefined,
  };
  const lines: string[] = [];
  let keysRead = 0;
  for (let at = 2; keysRead < context.keys.length; ) {
    const [calls, width] = [Number(word(at)), Number(word(at + 1))];
    const questions = Array.from({ length: width }, (_, index): Question => {
      const from = at + 2 + index * wordsPerKey;
      const [windowUs = 0, limit = 0, cost = 0, extra = 0] = [0, 1, 2, 3].map((next) => Number(word(from + next)));
      return { rule: { windowUs, limit, extra }, cost, admissions: word(from + 4) };
    });
    for (let call = 0; call < calls; call++, keysRead += width) {
      const keys = context.keys.slice(keysRead, keysRead + width);
      lines.push(lineOf(() => decide(counter, context, keys, questions, time, lines.length)));
    }
    at += 2 + width * wordsPerKey;
  }
  return [`${begunUs} ${time.nowUs} ${time.estimated ?? lines.length}`, ...lines].join("\n");
}

/** A key that can't be used is an error of its own call only. */
function lineOf(decide: () => string): string {
  try {
    return decide();
  } catch (error) {
    if (isCommandError(error)) return error.message;
    throw error;
  }
}

function decide(
  counter: Counter,
  { call }: ScriptContext,
  keys: readonly string[],
  questions: readonly Question[],
  time: BatchTime,
  decided: number,
): string {
  const texts = keys.map((key) => call("GET", key));
  const lookAt = (nowUs: number, spanUs: number): readonly Look[] =>
    questions.map(({ rule, cost, admissions }, index) => {
      const state = opened(counter, texts[index], nowUs, { ...rule, spanUs });
      const isMerged = admissions !== "" && state.merge(decodeAdmissions(admissions));
      const key = keys[index] as string;
      return { key, state, cost, isMerged, before: state.look(cost), lookedUs: state.nowUs };
    });
  const areAllFree = (looks: readonly Look[]): boolean => looks.every(({ before }) => before.isFree);

  let looks = lookAt(time.nowUs, time.spanUs);
  if (time.spanUs > 0 && dependsOnTime(looks, areAllFree(looks), time.nowUs + time.spanUs)) {
    Object.assign(time, { nowUs: serverTimeUs(call("TIME")), spanUs: 0, estimated: decided });
    looks = lookAt(time.nowUs, 0);
  }
  const areFree = areAllFree(looks);
  const since = (timeUs: number): number => (timeUs > 0 ? timeUs - time.begunUs : 0);
  const said = looks.map(({ key, state, cost, isMerged, before, lookedUs }) => {
    const chargedUs = areFree && cost > 0 ? state.charge(cost) : 0;
    if (chargedUs > 0 || isMerged) call("SET", key, state.text(), "PX", state.ttlMs());
    const { current, moreAtUs, resetAtUs } = chargedUs > 0 ? state.look(0) : before;
    const code = chargedUs > 0 ? "2" : before.isFree ? "1" : "0";
    const times = [lookedUs, before.retryAtUs, moreAtUs, resetAtUs, chargedUs].map(since).join(" ");
    return `${code}${digits(state.bornUs, timeWidth)} ${current} ${times}`;
  });
  return said.join(" ");
}

function dependsOnTime(looks: readonly Look[], areFree: boolean, latestUs: number): boolean {
  if (looks.some(({ state }) => state.isUnsure)) return true;
  return !areFree && looks.every(({ before }) => before.isFree || before.retryAtUs <= latestUs);
}

function refund(counter: Counter, { call, keys, args }: ScriptContext): number {
  const [nowUs = 0, windowUs = 0, limit = 0, extra = 0, atUs = 0, cost = 0, lifeMs = 0, bornUs = 0] = args.map(Number);
  const [key = "", mark = ""] = keys;
  const text = call("GET", key);
  if (text === null) return 0;
  const state = opened(counter, text, nowUs, { windowUs, limit, extra, spanUs: 0 });
  if (bornUs !== 0 && state.bornUs !== bornUs) return 0;
  if (call("SET", mark, "1", "NX", "PX", lifeMs) === null) return 0;
  const taken = state.giveBack(atUs, cost);
  if (taken > 0) call("SET", key, state.text(), "PX", state.ttlMs());
  return taken;
}

function opened(counter: Counter, text: unknown, nowUs: number, rule: CounterRule): OpenCounter {
  const state = typeof text === "string" || text === null ? counter.open(text, nowUs, rule) : undefined;
  if (!state) throw new CommandError(refusal(counter));
  return state;
}
