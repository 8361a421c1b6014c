import { measureSizes, sizeTable } from "./sizes.ts";
import { measureSpeed, speedTable } from "./speed.ts";

/** `main.js`: both; `main.js sizes` or `main.js speed`: one. */
const [what = "all"] = process.argv.slice(2);
if (!["all", "sizes", "speed"].includes(what)) {
  console.error(`Expected "sizes", "speed" or nothing, got ${JSON.stringify(what)}`);
  process.exit(2);
}
if (what !== "speed") console.log(`Bytes in Redis as a share of JSON\n\n${sizeTable(await measureSizes())}\n`);
if (what !== "sizes")
  console.log(`Speed, all in one run\n\n${speedTable(await measureSpeed({ rounds: 9, sliceMs: 400 }))}`);
