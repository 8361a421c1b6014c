// Runs before every test file: worker processes start from bundles.
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import { startFromBundles } from "../src/fleet/worker-pool.ts";

startFromBundles(bundledProgram);
