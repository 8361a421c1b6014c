// Runs before every test file: a failing test prints how to repeat it.
import { beforeEach } from "vitest";
import { repeatCommand } from "./test-scale.ts";

beforeEach(({ task, onTestFailed }) => {
  onTestFailed(() => {
    console.error(`To repeat it: ${repeatCommand(task.file.projectName ?? "", task.file.name)}`);
  });
});
