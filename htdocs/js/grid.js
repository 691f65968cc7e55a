/* grid: the tiles of a picture, drawn over it: where it is cut, and how far the first inner tile's overscan reaches. */
import { el, gate, shape } from "./dom.js";

/* Tile edges as the farm has them: whole pixels, the remainder spread. */
function edges(side, parts) {
	return Array.from({ length: parts + 1 }, (_, i) => Math.floor(side * i / parts));
}

function overscanBox(width, height, xs, ys, overscan) {
	const i = xs.length > 2 ? 1 : 0, j = ys.length > 2 ? 1 : 0;
	const left = Math.max(0, xs[i] - overscan), top = Math.max(0, ys[j] - overscan);
	return shape("rect", { class: "overscan", x: left, y: top, width: Math.min(width, xs[i + 1] + overscan) - left, height: Math.min(height, ys[j + 1] + overscan) - top });
}

/** Draw into `box`: a picture's `url` (or none) and the grid of { width, height, rows, columns, overscan }. */
export function drawGrid(box, url, { width, height, rows, columns, overscan }) {
	const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, class: "grid", preserveAspectRatio: "none", "aria-hidden": "true" });
	const xs = edges(width, columns), ys = edges(height, rows);
	for (const x of xs.slice(1, -1)) svg.append(shape("line", { x1: x, x2: x, y1: 0, y2: height }));
	for (const y of ys.slice(1, -1)) svg.append(shape("line", { x1: 0, x2: width, y1: y, y2: y }));
	if (overscan > 0 && rows * columns > 1) svg.append(overscanBox(width, height, xs, ys, overscan));
	box.style.aspectRatio = `${width} / ${height}`;
	if (box.dataset.url !== url || !box.firstElementChild) {
		box.dataset.url = url;
		box.replaceChildren(url ? el("img", { src: url, alt: "", onerror: (event) => event.target.replaceWith(gate()) }) : gate());
	}
	box.querySelector(".grid")?.remove();
	box.append(svg);
}
