// Runs before every test file: fleets start from bundles.
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import { startFromBundles } from "../src/fleet/fork-program.ts";

startFromBundles(bundledProgram);
