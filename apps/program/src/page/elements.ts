import type { Outcome } from "../api.ts";

/** The element of page.html with an id. @throws Error when there is none of that kind. */
export function byId(id: string): HTMLElement;
export function byId<Kind extends Element>(id: string, kind: new () => Kind): Kind;
export function byId(id: string, kind: new () => Element = HTMLElement): Element {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`page.html has no ${kind.name} #${id}`);
  return found;
}

type Tags = HTMLElementTagNameMap;

/** Makes an element. Texts are only ever set as text, never as markup. */
export function element<Tag extends keyof Tags>(
  tag: Tag,
  properties: Partial<Tags[Tag]>,
  ...children: readonly (Node | string)[]
): Tags[Tag] {
  const node = document.createElement(tag);
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

/** A button within a text, or one that is a card of a list. */
export function button(className: string, onClick: () => void, ...children: readonly (Node | string)[]): HTMLElement {
  const node = element("button", { type: "button", className }, ...children);
  node.addEventListener("click", onClick);
  return node;
}

/** Puts an item before all others of a list, which keeps the `most` latest. */
export function prependItem(list: HTMLElement, item: HTMLLIElement, most: number): void {
  list.prepend(item);
  while (list.children.length > most) list.lastElementChild?.remove();
}

export const grouped = (number: number): string => number.toLocaleString("en-US");

export function milliseconds(ms: number): string {
  const digits = ms >= 100 ? 0 : ms >= 10 ? 1 : 2;
  return `${ms.toFixed(digits)} ms`;
}

export const timeOf = (date: Date): HTMLElement =>
  element("time", {
    className: "quiet",
    dateTime: date.toISOString(),
    textContent: date.toLocaleTimeString(),
  });

/** Hit or miss, and how long it took. */
export const mark = ({ cache, ms }: Outcome): readonly HTMLElement[] => [
  element("span", { className: `badge ${cache}`, textContent: cache }),
  element("span", { className: "ms", textContent: milliseconds(ms) }),
];
