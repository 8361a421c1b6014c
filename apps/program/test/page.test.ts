import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { bundlePage, pageModule } from "../scripts/write-page.ts";
import { pageHtml } from "../src/page-html.ts";

describe("the page", () => {
  const html = pageHtml("nonce-of-this-answer");
  const script = /<script type="module" nonce="nonce-of-this-answer">(.*)<\/script>/s.exec(html)?.[1] ?? "";

  it("is the bundle of its sources", async () => {
    const isFresh = readFileSync(pageModule, "utf8") === (await bundlePage());
    expect(
      isFresh,
      "src/page-html.ts is out of date: run npx --yes pnpm@12.21.0 --filter @continuum-cache/program page",
    ).toBe(true);
  });

  it("has a script that parses", () => {
    expect(script.length).toBeGreaterThan(1_000);
    // A module may await at its top, which a Script may not.
    expect(() => new Script(`(async () => {"use strict";${script}})`)).not.toThrow();
  });

  it("has every element that its script names", () => {
    const folder = join(import.meta.dirname, "../src/page");
    const sources = readdirSync(folder).filter((name) => name.endsWith(".ts"));
    const text = sources.map((name) => readFileSync(join(folder, name), "utf8")).join("");
    const named = [...text.matchAll(/byId\("([\w-]+)"/g)].map(([, id]) => id);
    const ids = new Set([...html.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id));
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((id) => !ids.has(id))).toEqual([]);
  });

  it("gives every script and style the nonce, and no element a handler or style of its own", () => {
    const markup = html.replace(/<(script|style)([^>]*)>.*?<\/\1>/gs, "<$1$2>");
    expect(markup.match(/<(?:script|style|link)[^>]*>/g)).toEqual([
      '<link rel="icon" href="data:,">',
      '<style nonce="nonce-of-this-answer">',
      '<script type="module" nonce="nonce-of-this-answer">',
    ]);
    expect(markup).not.toMatch(/\son\w+=|\sstyle=/);
  });
});
