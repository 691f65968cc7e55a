/* frames: a project's frames, a page at a time: the strip of small pictures, and the table. However many there are, only a page is on it. */
import { address, get } from "./api.js";
import { byId, el, gate, setText, sync } from "./dom.js";
import { clock, number } from "./format.js";
import { chip, setChip } from "./state.js";

const PAGE = 48, TILES_A_PAGE = 20000;   /* the farm counts no more tiles for one answer */

export class Frames {
	items = [];
	page = 0;
	picked = new Set();

	/** `url(path)` gives an address its link token; `choose(frame)` is called when the person chose one. */
	constructor({ url, choose }) {
		this.url = url;
		this.choose = choose;
		byId("frames-before").addEventListener("click", () => this.go(this.page - 1));
		byId("frames-after").addEventListener("click", () => this.go(this.page + 1));
		byId("jump").addEventListener("submit", (event) => {
			event.preventDefault();
			const wanted = Number.parseInt(byId("jump-to").value, 10);
			if (Number.isFinite(wanted)) this.jump(this.nearest(wanted)).then(() => this.choose(this.nearest(wanted)));
		});
	}

	nearest(frame) {
		const { frame_start: start, frame_end: end, frame_step: step } = this.project;
		return start + step * Math.round((Math.min(Math.max(frame, start), end) - start) / step - 1e-9);
	}

	get size() {
		return Math.max(1, Math.min(PAGE, Math.floor(TILES_A_PAGE / (this.project.rows * this.project.columns))));
	}

	index(frame) {
		return Math.floor((frame - this.project.frame_start) / this.project.frame_step);
	}

	/** The frame that is probably being rendered: tasks are lent in order. */
	current() {
		const p = this.project, index = Math.min(p.frames_total - 1, Math.floor(p.tasks_done / (p.rows * p.columns)));
		return p.state === "finished" ? p.frame_start : p.frame_start + p.frame_step * Math.max(0, index);
	}

	async jump(frame) {
		return this.go(Math.floor(this.index(frame) / this.size));
	}

	async go(page) {
		const pages = Math.ceil(this.project.frames_total / this.size);
		this.page = Math.min(Math.max(page, 0), Math.max(0, pages - 1));
		await this.load();
	}

	/** Ask for the page again and show it. */
	async load() {
		const { id, frame_start: start, frame_step: step, frames_total: total } = this.project, page = this.page;
		const first = start + step * page * this.size;
		const answer = await get(this.url(address(`/api/projects/${id}/frames`, { after: first > 0 ? first - 1 : null, limit: this.size })));
		if (page !== this.page) return;
		this.items = answer.frames;
		this.strip();
		this.table();
		byId("frames-before").hidden = page === 0;
		byId("frames-after").hidden = (page + 1) * this.size >= total;
		const last = this.items.at(-1)?.frame ?? first;
		setText(byId("frames-where"), total > this.size ? `Frames ${number(this.items[0]?.frame ?? first)} to ${number(last)} of ${number(total)}` : "");
		byId("jump").hidden = total <= this.size;
	}

	item(frame) {
		return this.items.find((each) => each.frame === frame);
	}

	/** Mark the one that is looked at. */
	mark(frame) {
		const moved = this.marked !== frame;
		this.marked = frame;
		for (const button of byId("strip").querySelectorAll("button")) {
			const here = button.parentElement.dataset.key === String(frame);
			if (here === button.hasAttribute("aria-current")) continue;
			button.toggleAttribute("aria-current", here);
			if (here) button.setAttribute("aria-current", "true");
			if (here && moved) this.reveal(button.parentElement);
		}
	}

	reveal(item) {
		const strip = byId("strip");
		strip.scrollLeft = item.offsetLeft - strip.offsetLeft - (strip.clientWidth - item.clientWidth) / 2;
	}

	strip() {
		sync(byId("strip"), this.items, (item) => item.frame, (item) => {
			const picture = el("span", { class: "picture" });
			return el("li", {}, el("button", { type: "button", onclick: () => this.choose(item.frame) }, picture, el("span", { class: "numbers" }, String(item.frame))));
		}, (node, item) => this.fillStrip(node, item));
		this.mark(this.marked);
	}

	fillStrip(node, item) {
		const button = node.firstChild, picture = button.firstChild;
		const src = item.preview ? this.url(`/api/preview/${this.project.id}/${item.frame}?v=${item.finished_ms ?? 0}`) : "";
		picture.style.aspectRatio = `${this.project.width} / ${this.project.height}`;
		if (picture.dataset.src !== src || !picture.firstChild) {
			picture.dataset.src = src;
			picture.replaceChildren(src ? el("img", { src, alt: "", loading: "lazy" }) : gate());
		}
		node.className = item.state;
		button.setAttribute("aria-label", `Frame ${item.frame}, ${item.state}, ${item.done} of ${item.tiles} tiles`);
	}

	table() {
		sync(byId("frames"), this.items, (item) => item.frame, (item) => this.row(item), (row, item) => this.fillRow(row, item));
	}

	row({ frame }) {
		const box = el("input", { type: "checkbox", "aria-label": `Choose frame ${frame}`, checked: this.picked.has(frame), onchange: () => this.picked[box.checked ? "add" : "delete"](frame) });
		return el("tr", {}, el("td", { class: "may-change" }, box), el("th", { scope: "row" }, el("button", { type: "button", class: "link", onclick: () => this.choose(frame) }, String(frame))),
			el("td", {}, chip()), el("td"), el("td"), el("td"), el("td", {}, el("a", { href: this.url(`/results/${this.project.id}/frames/${frame}?download=1`), "aria-label": `Download frame ${frame}` }, "Download")));
	}

	fillRow(row, item) {
		const cell = row.children;
		setChip(cell[2].firstChild, item.state);
		setText(cell[3], `${item.done} of ${item.tiles}${item.running ? `, ${item.running} rendering` : ""}`);
		setText(cell[4], item.failed ? String(item.failed) : "");
		setText(cell[5], item.finished_ms ? clock(item.finished_ms) : "");
		cell[6].firstChild.hidden = item.state !== "done";
	}
}
