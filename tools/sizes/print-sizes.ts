// Prints what each public entry costs, the largest parts with `--parts`, and the sentences for the READMEs.
import { resolve } from "node:path";
import { entrySizes, kilobytes, sizeSentence } from "./entry-sizes.ts";

const sizes = await entrySizes(resolve(import.meta.dirname, "../.."));
console.log("| entry | imported | minified | gzip | at once | budget |\n| --- | --- | ---: | ---: | ---: | ---: |");
for (const { entry, imported, size, limitBytes } of sizes) {
  const budget = limitBytes === undefined ? "none yet" : kilobytes(limitBytes);
  const [minified, gzip, atOnce] = [size.minified, size.gzip, size.gzipAtOnce].map(kilobytes);
  console.log(`| ${entry} | ${imported} | ${minified} | ${gzip} | ${atOnce} | ${budget} |`);
  if (process.argv.includes("--parts"))
    for (const { file, bytes } of size.parts.slice(0, 20)) console.log(`    ${bytes} ${file}`);
}

for (const folder of new Set(sizes.map((each) => each.folder)))
  console.log(`\n${folder}/README.md\n${sizeSentence(sizes.filter((each) => each.folder === folder))}`);

console.log("\nFor tools/sizes/budgets.ts, 5 % above what is measured:");
for (const { entry, imported, size } of sizes) {
  console.log(`  ${JSON.stringify(entry)} ${JSON.stringify(imported)}: ${Math.ceil((size.gzip * 1.05) / 10) * 10}`);
}
