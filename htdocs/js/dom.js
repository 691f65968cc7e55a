/* dom: elements are made here and nowhere else. What strangers wrote only ever becomes text. */

/** The element of this id. */
export function byId(id) {
	return document.getElementById(id);
}

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "htmlFor", "className", "textContent", "open", "selected", "required", "indeterminate"]);

/** Make an element. `onclick` and the like are listeners; null and false attributes are left out; texts among the children are text. */
export function el(name, attributes = {}, ...children) {
	const node = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (value === null || value === undefined || value === false) continue;
		if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
		else if (PROPERTIES.has(key)) node[key] = value;
		else node.setAttribute(key, value === true ? "" : value);
	}
	node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
	return node;
}

/** Make an element of a drawing. */
export function shape(name, attributes) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", name);
	for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
	return node;
}

/** A small drawing: paths in a box of 24 × 24. */
function icon(...paths) {
	const svg = shape("svg", { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.6", "aria-hidden": "true" });
	svg.append(...paths.map((d) => shape("path", { d })));
	return svg;
}

/** The farm's gate, as a picture for places that have none yet. */
export function gate() {
	return icon("M4 21v-9a8 8 0 0 1 16 0v9", "M12 15.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z");
}

/** Change a text only when it differs: screen readers and selections keep calm. */
export function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

/** A link that is there when it leads somewhere. */
export function setLink(node, href) {
	node.hidden = !href;
	if (href) node.href = href;
}

/** Make `parent` show `items`, keeping the nodes (and the focus) of those that stay. `make` builds a node, `fill` brings it up to date. */
export function sync(parent, items, key, make, fill) {
	const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
	let at = parent.firstElementChild;
	for (const item of items) {
		const name = String(key(item));
		let node = old.get(name);
		if (!node) {
			node = make(item);
			node.dataset.key = name;
		}
		old.delete(name);
		fill?.(node, item);
		if (node === at) at = at.nextElementSibling;
		else parent.insertBefore(node, at);
	}
	for (const node of old.values()) node.remove();
}
