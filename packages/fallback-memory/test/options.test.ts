import { isConfigError } from "@continuum-cache/core";
import {
  type FallbackOptions,
  type MemoryOptions,
  memoryTransport,
  withFallback,
} from "@continuum-cache/fallback-memory";
import { type FileJournalOptions, fileJournal } from "@continuum-cache/journal-file";
import { describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

/** What a caller without types may pass. */
const thrownBy = (make: () => unknown): unknown => {
  try {
    make();
  } catch (error) {
    return error;
  }
  return undefined;
};
const openFallback = (options: object) => withFallback(switchable(), memoryTransport(), options as FallbackOptions);

describe("wrong options are rejected by name", () => {
  it.each<readonly [text: string, setting: string, make: () => unknown]>([
    ["maxBytes", "maxBytes", () => memoryTransport({ maxBytes: 0 })],
    ["maxEntries", "maxEntries", () => memoryTransport({ maxEntries: 1.5 })],
    ["Did you mean `maxBytes`", "maxByte", () => memoryTransport({ maxByte: 1 } as MemoryOptions)],
    ["journal.maxBytes", "journal.maxBytes", () => openFallback({ journal: { maxBytes: -1 } })],
    ["journal.maxEntries", "journal.maxEntries", () => openFallback({ journal: { maxEntries: Number.NaN } })],
    ["Did you mean `maxEntries`", "maxEntry", () => openFallback({ journal: { maxEntry: 20 } })],
    ["journal takes its options as an object", "journal", () => openFallback({ journal: 20 })],
    ["knownValues.maxBytes", "knownValues.maxBytes", () => openFallback({ knownValues: { maxBytes: "1" } })],
    ["Did you mean `maxAge`", "maxage", () => openFallback({ warmStart: { maxage: "1m" } })],
    ["Did you mean `healthCheckInterval`", "healthCheckIntervall", () => openFallback({ healthCheckIntervall: "1s" })],
    ["waitUntil", "waitUntil", () => openFallback({ waitUntil: true })],
    ['"always", "interval", "never"', "fsync", () => fileJournal({ path: "/j", fsync: "often" as "always" })],
    ["Did you mean `onDamage`", "ondamage", () => fileJournal({ path: "/j", ondamage() {} } as FileJournalOptions)],
    ["onDamage", "onDamage", () => fileJournal({ path: "/j", ...({ onDamage: "log" } as object) })],
  ])("%s", (text, setting, make) => {
    const error = thrownBy(make);
    expect(isConfigError(error)).toBe(true);
    expect(error).toMatchObject({ setting, message: expect.stringContaining(text) });
  });
});
