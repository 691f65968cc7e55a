/* frame: one frame of a project: its picture as it fills in, and who renders which tile. */
import { get } from "./api.js";
import { byId, el, setText, sync } from "./dom.js";
import { clock, duration, many, memory, points } from "./format.js";
import { show as showDialog } from "./dialog.js";
import { Picture } from "./picture.js";
import { say } from "./shell.js";
import { chip, setChip } from "./state.js";

const ROWS_MOST = 64;

/** A worker's log, in a box of its own. */
export async function showLog(project, lease, url) {
	try {
		const text = await get(url(`/api/projects/${project}/logs/${lease}`));
		showDialog(`What the worker reported about job ${lease}`, el("pre", { tabindex: "0" }, text || "It is empty."));
	} catch (problem) {
		say(problem.message);
	}
}

function took(seconds) {
	return seconds ? duration(1000 * seconds) : "";
}

function worker(item, me) {
	if (!item.worker) return "";
	return me && item.worker_id ? el("a", { href: `/worker?id=${item.worker_id}` }, item.worker) : item.worker;
}

function setCell(row, index, content) {
	const cell = row.children[index], text = typeof content === "string" ? content : content?.textContent ?? "";
	if (cell.textContent !== text) cell.replaceChildren(content ?? "");
}

export class Frame {
	constructor({ url, me }) {
		this.url = url;
		this.me = me;
		this.picture = new Picture(byId("canvas"), url);
		this.all = false;
		byId("tiles-all").addEventListener("click", () => {
			this.all = true;
			this.tiles();
		});
	}

	/** Show frame `number`; `item` is its line in the list of frames, when that is known. */
	async show(project, number, item) {
		if (this.number !== number) this.all = false;
		this.project = project;
		this.number = number;
		this.picture.shape(project);
		const answer = await get(this.url(`/api/projects/${project.id}/frames/${number}`));
		if (this.number !== number) return;
		for (const tile of answer.tiles) if (tile.state === "leased") tile.state = "rendering";
		this.answer = answer;
		this.picture.show(answer, item?.preview ? this.url(`/api/preview/${project.id}/${number}?v=${item.finished_ms ?? 0}`) : null);
		setText(byId("frame-title"), `Frame ${number}`);
		setText(byId("frame-words"), this.picture.words());
		const file = byId("frame-file");
		file.hidden = item?.state !== "done";
		file.href = this.url(`/results/${project.id}/frames/${number}?download=1`);
		this.tiles();
		this.tries();
	}

	row(tile) {
		return el("tr", {}, el("th", { scope: "row" }, `Row ${tile.row + 1}, column ${tile.column + 1}`), el("td", {}, chip()), ...Array.from({ length: 5 }, () => el("td")));
	}

	fillRow(row, tile) {
		setChip(row.children[1].firstChild, tile.state);
		setCell(row, 2, worker(tile, this.me));
		const running = tile.state === "rendering";
		setCell(row, 3, running ? `since ${clock(tile.since_ms)}${tile.progress ? `, ${Math.floor(tile.progress / 10)} %` : ""}` : took(tile.render_s));
		setCell(row, 4, tile.memory_kib ? memory(tile.memory_kib) : "");
		const tries = this.answer.leases.filter((lease) => lease.row === tile.row && lease.column === tile.column), log = tries.find((lease) => lease.log);
		setCell(row, 5, String(tries.length));
		setCell(row, 6, log ? el("button", { type: "button", class: "little", onclick: () => showLog(this.project.id, log.id, this.url) }, "Log") : "");
	}

	/* Tiles that nobody had yet have nothing to tell: they are only counted. */
	tiles() {
		const tiles = this.answer.tiles.filter((tile) => tile.state !== "waiting" || tile.tries > 0), shown = this.all ? tiles : tiles.slice(0, ROWS_MOST);
		const others = this.answer.tiles.length - tiles.length;
		setText(byId("tiles-waiting"), others ? `${many(others, "tile")} wait${others === 1 ? "s" : ""} for a worker.` : "");
		byId("tiles-table").hidden = tiles.length === 0;
		byId("legend").hidden = Boolean(this.picture.whole);
		sync(byId("tiles"), shown.slice(0, 512), (tile) => `${tile.row}-${tile.column}`, (tile) => this.row(tile), (row, tile) => this.fillRow(row, tile));
		byId("tiles-all").hidden = shown.length === tiles.length;
		setText(byId("tiles-all"), `Show ${many(tiles.length - ROWS_MOST, "more tile")}`);
	}

	/* Every lending of the frame's tiles, newest first. */
	tries() {
		const leases = this.answer.leases ?? [];
		byId("history").hidden = leases.length === 0;
		setText(byId("history-count"), `Every try (${leases.length})`);
		sync(byId("leases"), leases.slice(0, 200), (lease) => lease.id, (lease) => el("tr", {}, el("th", { scope: "row" }, String(lease.id)), ...Array.from({ length: 6 }, () => el("td"))), (row, lease) => {
			setCell(row, 1, `${lease.row + 1}, ${lease.column + 1}`);
			setCell(row, 2, worker(lease, this.me));
			setCell(row, 3, clock(lease.since_ms));
			setCell(row, 4, took(lease.render_s));
			setCell(row, 5, lease.outcome || lease.state || "");
			setCell(row, 6, lease.points ? points(lease.points) : "");
		});
	}
}
