/** First part of the page's script: elements, and answers of the service. Texts are only ever set as text. */
export const elementsScript: string = `
const byId = (id) => document.getElementById(id);

const element = (tag, properties, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

const grouped = (number) => number.toLocaleString("en-US");
const milliseconds = (ms) => (ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2)) + " ms";

const timeOf = (date) => element("time", { className: "quiet", dateTime: date.toISOString(), textContent: date.toLocaleTimeString() });

/** Hit or miss, and how long it took. */
const mark = ({ cache, ms }) => [
  element("span", { className: "badge " + cache, textContent: cache }),
  element("span", { className: "ms", textContent: milliseconds(ms) }),
];

const ask = async (path, options) => {
  const response = await fetch(path, options).catch(() => {
    throw new Error("The server gives no answer: is it still running?");
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
};
`;
