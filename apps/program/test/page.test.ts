import { Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { pageHtml } from "../src/page/page-html.ts";

describe("the page", () => {
  const html = pageHtml("nonce-of-this-answer");
  const script = /<script type="module" nonce="nonce-of-this-answer">(.*)<\/script>/s.exec(html)?.[1] ?? "";

  it("has a script that parses, and names only elements that are there", () => {
    expect(script.length).toBeGreaterThan(1_000);
    // A module may await at its top, which a Script may not.
    expect(() => new Script(`(async () => {"use strict";${script}})`)).not.toThrow();
    const named = [...script.matchAll(/byId\("([\w-]+)"\)/g)].map(([, id]) => id);
    const ids = new Set([...html.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id));
    expect(named.filter((id) => !ids.has(id))).toEqual([]);
  });

  it("gives every script and style the nonce, and no element a handler or style of its own", () => {
    const markup = html.replace(/<(script|style)([^>]*)>.*?<\/\1>/gs, "<$1$2>");
    expect(markup.match(/<(?:script|style)[^>]*>/g)).toEqual([
      '<style nonce="nonce-of-this-answer">',
      '<script type="module" nonce="nonce-of-this-answer">',
    ]);
    expect(markup).not.toMatch(/ on\w+=| style=/);
  });
});
