// Prints which functions and files of the packages one warm operation goes through, and how many promises and timers it
// makes; with `--list` every function in order.
import { callPaths } from "./call-paths.ts";

const paths = await callPaths();
console.log("| operation | functions entered | files | moves between files | promises | timers |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
for (const { operation, entered, files, moves, promises, timers } of paths) {
  console.log(`| ${operation} | ${entered.length} | ${files} | ${moves} | ${promises} | ${timers} |`);
}
if (process.argv.includes("--list")) {
  for (const { operation, entered } of paths) {
    console.log(`\n${operation}`);
    for (const { file, name, line } of entered) console.log(`  ${file} ${name} (line ${line} of its JavaScript)`);
  }
}
