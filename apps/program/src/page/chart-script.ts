/**
 * Second part: the last ten minutes as a drawing. Commands are columns, answers a line, and stretches that the primary was
 * away are shaded. The arrow keys, or the pointer, choose the stretch that is told in words.
 */
export const chartScript: string = `
const chart = { samples: [], chosen: undefined, width: 960, height: 180, slots: 120 };

const shape = (tag, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};

/** A round number that is not below the largest value, for a scale that seldom changes. */
const scaleOf = (values, least) => {
  const most = Math.max(least, ...values);
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((scale) => scale >= most);
};

const perSecond = (rate) => (rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)) + "/s";

const describeSample = ({ atMs, commandsPerSecond, requestsPerSecond, hitRate, answers, errors, limited, backend }) =>
  [
    new Date(atMs).toLocaleTimeString(),
    backend === "local" ? "local memory" : "primary",
    perSecond(commandsPerSecond) + " commands",
    perSecond(requestsPerSecond) + " requests",
    hitRate === null ? "no reads" : (hitRate * 100).toFixed(0) + " % hits",
    answers ? "p50 " + milliseconds(answers.p50) + ", p95 " + milliseconds(answers.p95) + ", p99 " + milliseconds(answers.p99) : "no answers",
    ...(errors > 0 ? [grouped(errors) + " errors"] : []),
    ...(limited > 0 ? [grouped(limited) + " refused by limits"] : []),
  ].join(" · ");

const drawChart = () => {
  const { samples, width, height, slots } = chart;
  const slot = width / slots;
  const first = slots - samples.length;
  const commandScale = scaleOf(samples.map(({ commandsPerSecond }) => commandsPerSecond), 1);
  const answerScale = scaleOf(samples.map(({ answers }) => answers?.p95 ?? 0), 1);
  const xOf = (index) => (first + index) * slot;
  const parts = [];
  for (const part of [0.25, 0.5, 0.75]) {
    parts.push(shape("line", { class: "grid", x1: 0, x2: width, y1: height * part, y2: height * part }));
  }
  let line = "";
  for (const [index, { backend, commandsPerSecond, answers }] of samples.entries()) {
    const x = xOf(index);
    if (backend === "local") parts.push(shape("rect", { class: "away", x, y: 0, width: slot, height }));
    const tall = (commandsPerSecond / commandScale) * height;
    parts.push(shape("rect", { class: "commands", x: x + 1, y: height - tall, width: slot - 2, height: tall }));
    const y = answers && height - (answers.p95 / answerScale) * height;
    line += answers ? (line === "" || !samples[index - 1]?.answers ? "M" : "L") + (x + slot / 2) + " " + y : "";
    if (answers) parts.push(shape("circle", { class: "answer", cx: x + slot / 2, cy: y, r: 2 }));
  }
  parts.push(shape("path", { class: "answers", d: line }));
  const chosen = chart.chosen === undefined ? -1 : samples.findIndex(({ atMs }) => atMs === chart.chosen);
  if (chosen >= 0) parts.push(shape("rect", { class: "chosen", x: xOf(chosen), y: 0, width: slot, height }));
  byId("chart").replaceChildren(...parts);
  byId("chart-commands").textContent = "Commands, up to " + commandScale + "/s";
  byId("chart-answers").textContent = "Answers p95, up to " + milliseconds(answerScale);
  const told = samples[chosen] ?? samples.at(-1);
  byId("chart-told").textContent = told ? describeSample(told) : "The first five seconds are not over yet.";
};

const choose = (index) => {
  const sample = chart.samples[Math.max(0, Math.min(chart.samples.length - 1, index))];
  if (!sample) return;
  chart.chosen = sample.atMs;
  drawChart();
};

byId("chart").addEventListener("keydown", (event) => {
  const last = chart.samples.length - 1;
  const at = chart.chosen === undefined ? last : chart.samples.findIndex(({ atMs }) => atMs === chart.chosen);
  const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
  if (event.key === "Escape") chart.chosen = undefined;
  else if (!(event.key in steps)) return;
  event.preventDefault();
  if (event.key === "Escape") drawChart();
  else choose(steps[event.key]);
});
byId("chart").addEventListener("pointermove", ({ offsetX }) => {
  const share = offsetX / byId("chart").clientWidth;
  choose(Math.floor(share * chart.slots) - (chart.slots - chart.samples.length));
});
byId("chart").addEventListener("pointerleave", () => {
  chart.chosen = undefined;
  drawChart();
});
`;
