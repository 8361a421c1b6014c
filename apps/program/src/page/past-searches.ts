import type { RecentSearch } from "../sessions.ts";
import { byId, element, mark, prependItem } from "./elements.ts";

const most = 20;
const list = byId("history");
/** The times of the searches in the list: the live events bring a search that this window has made once more. */
const listed = new Set<string>();

/** Puts a search before the others, unless it is in the list. */
export function remember(search: RecentSearch): void {
  if (listed.has(search.at)) return;
  listed.add(search.at);
  byId("no-history").hidden = true;
  const again = element("button", { type: "button", className: "link", textContent: search.query });
  const item = element("li", {}, again, element("span", { className: "mark" }, ...mark(search)));
  prependItem(list, item, most);
}
