import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiReference, writeApiReference } from "../reference/api-reference.ts";

describe("the API reference", () => {
  let work: string;
  let reference: ApiReference;

  // The first time typedoc and its TypeScript are installed, 46 MB.
  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), "reference-"));
    reference = await writeApiReference(join(work, "out"));
  }, 300_000);
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  it("has a description of every export, and no link that leads nowhere", () => {
    expect(reference.complaints).toEqual([]);
  });

  it("calls each entry as users import it", () => {
    const modules = readdirSync(join(work, "out", "modules"));
    expect(modules).toEqual(expect.arrayContaining(["continuum-cache.html", "_continuum-cache_core_msgpack.html"]));
    expect(readFileSync(join(work, "out/modules/continuum-cache.html"), "utf8")).toContain("UpstashCache");
    expect(existsSync(reference.page)).toBe(true);
  });
});
