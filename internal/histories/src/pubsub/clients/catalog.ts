import type { Address } from "../../site/address.ts";
import type { Contender } from "./contender.ts";
import { type OurSettings, openOurs } from "./ours.ts";
import { openIoredis, openNodeRedis, openUpstash } from "./raw.ts";

export type ContenderName = "ours" | "ioredis" | "node-redis" | "upstash-redis";

export interface ContenderFacts {
  readonly title: string;
  readonly ways: readonly ("tcp" | "rest")[];
  open(address: Address, settings: OurSettings): Contender;
}

export const contenders: Readonly<Record<ContenderName, ContenderFacts>> = {
  ours: { title: "continuum-cache", ways: ["tcp", "rest"], open: openOurs },
  ioredis: { title: "ioredis", ways: ["tcp"], open: openIoredis },
  "node-redis": { title: "node-redis", ways: ["tcp"], open: openNodeRedis },
  "upstash-redis": { title: "@upstash/redis", ways: ["rest"], open: openUpstash },
};

export const contenderNames: readonly ContenderName[] = ["ours", "ioredis", "node-redis", "upstash-redis"];
