import { ConfigError } from "@continuum-cache/core";
import { assertOptions, functionOption, type KnownOptions, wholeNumberOption } from "@continuum-cache/core/kit";
import type { CombinedDecision } from "../types.ts";
import { type AddressSource, readClientKey } from "./client-address.ts";
import { retryAfterSeconds } from "./decisions.ts";
import { readFormats } from "./header-format.ts";
import { rateLimitHeaders } from "./rate-limit-headers.ts";
import { rateLimitProblem } from "./rate-limit-problem.ts";
import type { KeyOf, Limited, Limiter, LimiterOf, RequestLimitOptions } from "./request-limit-options.ts";
import { type RequestRule, readRules } from "./request-rules.ts";

/** The outcome for one request. */
export interface RequestOutcome {
  /** The headers that show the limits. */
  readonly headers: Headers;
  /** Present when the request is refused. */
  readonly limited?: Limited;
}

/** Decides on requests. Resolves to undefined for a request that is not limited. */
export type RequestLimiter<Input extends readonly unknown[]> = (...input: Input) => Promise<RequestOutcome | undefined>;

const knownOptions: KnownOptions<RequestLimitOptions<readonly unknown[], unknown>> = {
  window: true,
  limit: true,
  scope: true,
  burst: true,
  key: true,
  limits: true,
  cost: true,
  skip: true,
  headers: true,
  policyName: true,
  onLimited: true,
  ipHeader: true,
  trustedProxies: true,
  ipv6Prefix: true,
};

/**
 * The core that all middlewares share: from a request to the headers or the refusal of its response.
 *
 * @param owner - The name of the middleware, for errors.
 * @throws ConfigError when an option is unknown or wrong.
 */
export function createRequestLimiter<Input extends readonly unknown[]>(
  owner: string,
  limiter: LimiterOf<Input>,
  options: RequestLimitOptions<Input, unknown>,
  source: AddressSource<Input>,
): RequestLimiter<Input> {
  assertLimiter(limiter);
  assertOptions<object>(owner, options, knownOptions);
  const { cost, skip, headers = "draft-10", policyName } = options;
  assertCallbacks(options);
  assertOneKeySource(options);
  const rules = readRules(options, () => options.key ?? readClientKey(options, source));
  const format = headers === false ? [] : readFormats("headers", headers);
  const named = policyName === undefined ? {} : { policyName };

  return async (...input) => {
    if (await skip?.(...input)) return undefined;
    const paid = typeof cost === "function" ? { cost: await cost(...input) } : cost === undefined ? {} : { cost };
    const ids = await idsOf(rules, input);
    const decision = await decide(typeof limiter === "function" ? limiter(...input) : limiter, rules, ids, paid);
    const fields = rateLimitHeaders(decision, { format, ...named });
    const retryAfter = retryAfterSeconds(decision.decisions);
    if (decision.allowed || retryAfter === undefined) return { headers: fields };
    const problem = rateLimitProblem(decision, named);
    return { headers: fields, limited: { ...decision, allowed: false, retryAfter, problem, headers: fields } };
  };
}

/** The ids of all limits. A key function that several of them share is called once. */
async function idsOf<Input extends readonly unknown[]>(
  rules: readonly RequestRule<Input>[],
  input: Input,
): Promise<readonly string[]> {
  const asked = new Map<KeyOf<Input>, Promise<string>>();
  for (const { key } of rules) if (!asked.has(key)) asked.set(key, idOf(key, input));
  return Promise.all(rules.map(({ key }) => asked.get(key) as Promise<string>));
}

async function idOf<Input extends readonly unknown[]>(key: KeyOf<Input>, input: Input): Promise<string> {
  const id = await key(...input);
  if (typeof id === "string" && id !== "") return id;
  const got = id === "" ? '""' : id === null ? "null" : typeof id;
  throw new TypeError(
    `Expected \`key\` to return the id that a request is counted for, got ${got}: return a text for each request, ` +
      "and let `skip` exclude those that are not limited",
  );
}

async function decide<Input extends readonly unknown[]>(
  limiter: Limiter,
  rules: readonly RequestRule<Input>[],
  ids: readonly string[],
  paid: { readonly cost?: number },
): Promise<CombinedDecision> {
  const [rule, ...others] = rules;
  const [id] = ids;
  if (rule && id !== undefined && others.length === 0) {
    const decision = await limiter.limit(id, { ...rule.limit, ...paid });
    const { allowed, retryAfter, source } = decision;
    return { allowed, retryAfter, source, decisions: [decision] };
  }
  const limits = ids.map((id, index) => ({ ...rules[index]?.limit, id }));
  return limiter.limitAll(limits, paid);
}

function assertLimiter(limiter: unknown): void {
  if (typeof limiter === "function" || typeof (limiter as Partial<Limiter> | undefined)?.limit === "function") return;
  throw new ConfigError("limiter", `Expected a RateLimiter, or a function that returns one, got ${typeof limiter}`);
}

function assertCallbacks({ cost, skip, policyName, onLimited }: RequestLimitOptions<never, unknown>): void {
  if (cost !== undefined && typeof cost !== "function") wholeNumberOption("cost", cost);
  if (policyName !== undefined && typeof policyName !== "string" && typeof policyName !== "function") {
    throw new ConfigError("policyName", `Expected \`policyName\` to be a name or a function, got ${typeof policyName}`);
  }
  functionOption("skip", skip);
  functionOption("onLimited", onLimited);
}

/** With both a key and a place to read an address from, it would be unclear which of them counts. */
function assertOneKeySource<Input extends readonly unknown[]>(options: RequestLimitOptions<Input, unknown>): void {
  if (options.key === undefined) return;
  for (const name of ["ipHeader", "trustedProxies", "ipv6Prefix"] as const) {
    if (options[name] === undefined) continue;
    throw new ConfigError(name, `Expected \`key\` or \`${name}\`, got both: with a key, no address is read`);
  }
}
