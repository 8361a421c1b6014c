// Prints, from the report of the last test run, how many conformance cases passed for each backend, as Markdown.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const { testResults } = JSON.parse(readFileSync(join(root, ".cache", "tests.json"), "utf8"));

/** `["a server with TLS", "tcp: conformance", "strings"]` belongs to the backend "tcp, a server with TLS". */
const suite = /^(.+): (conformance|subscription)s?$/;
const rows = new Map();
for (const { ancestorTitles, status } of testResults.flatMap((file) => file.assertionResults)) {
  const at = ancestorTitles.findIndex((title) => suite.test(title));
  if (at < 0) continue;
  const [, transport, kind] = suite.exec(ancestorTitles[at]);
  const backend = [transport, ...ancestorTitles.slice(0, at)].join(", ");
  const row = rows.get(backend) ?? { conformance: counts(), subscription: counts() };
  row[kind][status === "passed" ? "passed" : status === "failed" ? "failed" : "skipped"]++;
  rows.set(backend, row);
}

console.log("| backend | transport suite | subscription suite |\n| --- | ---: | ---: |");
for (const [backend, { conformance, subscription }] of [...rows].sort(([a], [b]) => a.localeCompare(b))) {
  console.log(`| ${backend} | ${cell(conformance)} | ${cell(subscription)} |`);
}

function counts() {
  return { passed: 0, failed: 0, skipped: 0 };
}

function cell({ passed, failed, skipped }) {
  const total = passed + failed;
  return total === 0 ? "–" : `${passed} of ${total}${skipped > 0 ? ` (${skipped} skipped, with reason)` : ""}`;
}
