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

/** What a gate says to one request. */
export interface RequestOutcome {
  /** What the answer shall tell of the limits. */
  readonly headers: Headers;
  /** Present when the request is refused. */
  readonly limited?: Limited;
}

/** Decides on requests; undefined for one that is not limited. */
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
 * What the middlewares have in common: from a request to what its answer is to say.
 *
 * @param owner - The middleware, as its users write it.
 * @throws ConfigError when an option is unknown or can't be.
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

/** The ids of all limits. A key that several of them share is asked for once. */
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
    `Expected \`key\` to say whom a request is counted for, got ${got}: return a text for each request, and let \`skip\` say which are not limited`,
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

/** Who sets both a key and where to read an address from would not know which of them counts. */
function assertOneKeySource<Input extends readonly unknown[]>(options: RequestLimitOptions<Input, unknown>): void {
  if (options.key === undefined) return;
  for (const name of ["ipHeader", "trustedProxies", "ipv6Prefix"] as const) {
    if (options[name] === undefined) continue;
    throw new ConfigError(name, `Expected \`key\` or \`${name}\`, got both: the key alone says who is who`);
  }
}
