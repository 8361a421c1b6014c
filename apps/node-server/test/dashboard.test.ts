import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Service, startService } from "../src/service.ts";

const executablePath = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
]
  .filter((path) => path !== undefined && path !== "")
  .find((path) => existsSync(path as string));
/** For people to look at; not committed. */
const screenshots = join(import.meta.dirname, "../.cache/screenshots");
const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];

// Chromium can't be installed by npm: apt-get install chromium, or name one in CHROMIUM.
describe.skipIf(executablePath === undefined)("the dashboard, in Chromium", () => {
  let service: Service;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    service = await startService({ address: { port: 0 }, processes: 1, env: {}, log: () => {} });
    browser = await chromium.launch({ executablePath: executablePath as string, args });
    page = await browser.newPage({ viewport: { width: 1_280, height: 1_000 } });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("request", (request) => request.url().startsWith(service.url) || problems.push(`loads ${request.url()}`));
    await page.goto(service.url);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  const textOf = (selector: string) => expect.poll(() => page.textContent(selector));
  const search = async (text: string): Promise<void> => {
    await page.fill("#query", text);
    await page.keyboard.press("Enter");
  };

  it("shows a miss, then a hit", async () => {
    await textOf("#live-state").toBe("live");
    await search("dog that herds sheep");
    await textOf("#answer .badge").toBe("miss");
    await search("dog that herds sheep");
    await textOf("#answer .badge").toBe("hit");
    await textOf("#results li strong").toContain("shepherd dog");
    await textOf("#backend").toBe("upstash");
    // The warmer loads what the search has found.
    await textOf("#events").toContain("Now in the cache");
    await textOf("#tiles").toMatch(/Queue00 in work, 0 dead/);
  });

  it("opens a memory in a dialog, follows a relation and comes back", async () => {
    await page.click("#results li:first-child button");
    await textOf("#memory-title").toContain("dog");
    const title = await page.textContent("#memory-title");
    const related = await page.textContent("#memory-body li strong");
    await page.click("#memory-body li button");
    await textOf("#memory-title").toBe(related);
    await page.click("#memory-back");
    await textOf("#memory-title").toBe(title);
    expect(await page.isVisible("#memory-back")).toBe(false);
    await page.click("#memory-close");
    await expect.poll(() => page.isVisible("#memory")).toBe(false);
  });

  it("draws what happens, and describes in words the stretch that the arrow keys choose", async () => {
    await expect.poll(() => page.locator("#chart .commands").count()).toBeGreaterThan(0);
    await page.focus("#chart");
    await page.keyboard.press("Home");
    await textOf("#chart-told").toMatch(/primary · .* commands · .* requests/);
    expect(await page.getAttribute("#chart", "aria-valuetext")).toBe(await page.textContent("#chart-told"));
    expect(await page.locator("#chart .chosen").count()).toBe(1);
    await page.keyboard.press("Escape");
    expect(await page.locator("#chart .chosen").count()).toBe(0);
    await page.screenshot({ path: join(screenshots, "before.png"), fullPage: true });
  });

  it("goes on in local memory when its server is cut off, and says so", async () => {
    await page.focus("#cut");
    await page.keyboard.press("Enter");
    await textOf("#done").toContain("cut off");
    await search("musical instrument with strings");
    await textOf("#backend").toBe("local");
    await textOf("#answer").toMatch(/miss.*answered by local/);
    await search("musical instrument with strings");
    await textOf("#answer").toMatch(/hit.*answered by local/);
    await textOf("#tiles").toMatch(/Not confirmed yet[1-9]\d*journal [1-9]/);
    await page.click("summary");
    await textOf("#turns li").toContain("Local memory");
    await expect.poll(() => page.locator("#chart .away").count()).toBeGreaterThan(0);
    await page.screenshot({ path: join(screenshots, "outage.png"), fullPage: true });
  });

  it("returns to its restored server, which gets the writes it has missed", async () => {
    await page.click("#cut");
    await textOf("#done").toContain("is back");
    await textOf("#backend").toBe("upstash");
    await textOf("#turns li").toContain("Primary again");
    await search("musical instrument with strings");
    await textOf("#answer").toMatch(/hit.*answered by upstash/);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: join(screenshots, "after-dark.png"), fullPage: true });
  });

  it("loads nothing from other sites and logs no error", () => {
    // The browser itself reports a cut connection.
    expect(problems.filter((problem) => !problem.includes("WebSocket"))).toEqual([]);
  });
});
