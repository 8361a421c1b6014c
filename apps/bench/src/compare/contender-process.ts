import { suites } from "./catalog.ts";
import { answerParent } from "./child.ts";
import { type Question, type RunningContender, runHere } from "./run-contender.ts";

let running: RunningContender | undefined;

answerParent(async (question: Question) => {
  if (question === "close") return running?.close();
  if ("scenario" in question) return running?.measure(question.scenario, question.sliceMs);
  const suite = suites.find(({ name }) => name === question.suite);
  const contender = suite?.contenders.find(({ name }) => name === question.contender);
  if (!suite || !contender) throw new Error(`There is no ${question.contender} in a suite ${question.suite}`);
  running = await runHere(suite, contender, question.site);
  return running.scenarios;
});
