/* table: rows and pairs that follow what the farm answers. Only what differs is made anew, and the focus stays where it was. */
import { el, sync } from "./dom.js";

/** Rows for `items`; `cells(item)` gives their contents, the first of which names the row. */
export function fillTable(body, items, key, cells) {
	sync(body, items, key, () => el("tr"), (row, item) => {
		const print = JSON.stringify(item);
		if (row.print === print) return;
		row.print = print;
		const focus = [...row.querySelectorAll("a, button")].indexOf(document.activeElement);
		row.replaceChildren(...cells(item).map((cell, i) => i ? el("td", {}, cell || "") : el("th", { scope: "row" }, cell)));
		if (focus >= 0) row.querySelectorAll("a, button")[focus]?.focus();
	});
}

/** Pairs of a name and a value into a <dl>; those without a value are left out. */
export function fillFacts(list, pairs) {
	const shown = pairs.filter(([, value]) => value || value === 0);
	if (list.print === JSON.stringify(shown)) return;
	list.print = JSON.stringify(shown);
	list.replaceChildren(...shown.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}
