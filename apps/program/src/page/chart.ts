import type { Sample } from "../watch/timeline.ts";
import { byId, grouped, milliseconds } from "./elements.ts";

/*
 * The last ten minutes as a drawing. Commands are columns, answers a line, and the stretches in which the primary was
 * away are shaded. The arrow keys, or the pointer, choose the stretch that the page describes in words.
 */

const width = 960;
const height = 180;
const slots = 120;
const slot = width / slots;

const chart = byId("chart");
let samples: readonly Sample[] = [];
/** The end of the chosen stretch. */
let chosenAtMs: number | undefined;

/** Draws these samples, the oldest first; the chosen stretch stays chosen. */
export function showSamples(latest: readonly Sample[]): void {
  samples = latest;
  draw();
}

export const perSecond = (rate: number): string => `${rate.toFixed(rate >= 10 ? 0 : 1)}/s`;

function shape(tag: "circle" | "line" | "path" | "rect", attributes: Readonly<Record<string, string | number>>) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}

/** A round number that is not below the largest value, for a scale that seldom changes. */
function scaleOf(values: readonly number[]): number {
  const most = Math.max(1, ...values);
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5].find((factor) => factor * power >= most) ?? 10) * power;
}

function describe(sample: Sample): string {
  const { atMs, commandsPerSecond, requestsPerSecond, hitRate, answers, errors, limited, backend } = sample;
  return [
    new Date(atMs).toLocaleTimeString(),
    backend === "local" ? "local memory" : "primary",
    `${perSecond(commandsPerSecond)} commands`,
    `${perSecond(requestsPerSecond)} requests`,
    hitRate === null ? "no reads" : `${(hitRate * 100).toFixed(0)} % hits`,
    answers
      ? `p50 ${milliseconds(answers.p50)}, p95 ${milliseconds(answers.p95)}, p99 ${milliseconds(answers.p99)}`
      : "no answers",
    ...(errors > 0 ? [`${grouped(errors)} errors`] : []),
    ...(limited > 0 ? [`${grouped(limited)} refused by limits`] : []),
  ].join(" · ");
}

/** The latest sample is at the right edge. */
const xOf = (index: number): number => (slots - samples.length + index) * slot;

function draw(): void {
  const commandScale = scaleOf(samples.map(({ commandsPerSecond }) => commandsPerSecond));
  const answerScale = scaleOf(samples.map(({ answers }) => answers?.p95 ?? 0));
  const chosen = indexOfChosen();
  byId("drawing", SVGSVGElement).replaceChildren(
    ...[0.25, 0.5, 0.75].map((part) =>
      shape("line", { class: "grid", x1: 0, x2: width, y1: height * part, y2: height * part }),
    ),
    ...commandShapes(commandScale),
    ...answerShapes(answerScale),
    ...(chosen >= 0 ? [shape("rect", { class: "chosen", x: xOf(chosen), y: 0, width: slot, height })] : []),
  );
  byId("chart-commands").textContent = `Commands, up to ${commandScale}/s`;
  byId("chart-answers").textContent = `Answers p95, up to ${milliseconds(answerScale)}`;
  sayWhatIsShown(chosen);
}

function commandShapes(scale: number): SVGElement[] {
  return samples.flatMap(({ backend, commandsPerSecond }, index) => {
    const x = xOf(index);
    const tall = (commandsPerSecond / scale) * height;
    const column = shape("rect", { class: "commands", x: x + 1, y: height - tall, width: slot - 2, height: tall });
    return backend === "local" ? [shape("rect", { class: "away", x, y: 0, width: slot, height }), column] : [column];
  });
}

/** A line through the samples that had answers; it breaks where there were none. */
function answerShapes(scale: number): SVGElement[] {
  const points = samples.flatMap(({ answers }, index) =>
    answers ? [{ x: xOf(index) + slot / 2, y: height - (answers.p95 / scale) * height, index }] : [],
  );
  const path = points.map(({ x, y, index }) => `${samples[index - 1]?.answers ? "L" : "M"}${x} ${y}`);
  return [
    ...points.map(({ x, y }) => shape("circle", { class: "answer", cx: x, cy: y, r: 2 })),
    shape("path", { class: "answers", d: path.join("") }),
  ];
}

function sayWhatIsShown(chosen: number): void {
  const sample = samples[chosen] ?? samples.at(-1);
  const words = sample ? describe(sample) : "The first five seconds are not over yet.";
  byId("chart-told").textContent = words;
  chart.ariaValueMax = String(Math.max(0, samples.length - 1));
  chart.ariaValueNow = String(chosen >= 0 ? chosen : Math.max(0, samples.length - 1));
  chart.ariaValueText = words;
}

const indexOfChosen = (): number => samples.findIndex(({ atMs }) => atMs === chosenAtMs);

function choose(index: number): void {
  const sample = samples[Math.max(0, Math.min(samples.length - 1, index))];
  if (!sample) return;
  chosenAtMs = sample.atMs;
  draw();
}

function chooseNone(): void {
  chosenAtMs = undefined;
  draw();
}

chart.addEventListener("keydown", (event) => {
  const last = samples.length - 1;
  const at = chosenAtMs === undefined ? last : indexOfChosen();
  const actions: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => choose(at - 1),
    ArrowRight: () => choose(at + 1),
    Home: () => choose(0),
    End: () => choose(last),
    Escape: chooseNone,
  };
  const act = actions[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
chart.addEventListener("pointermove", ({ offsetX }) => {
  const share = offsetX / chart.clientWidth;
  choose(Math.floor(share * slots) - (slots - samples.length));
});
chart.addEventListener("pointerleave", chooseNone);
