/* frame: one frame of a project: its picture as it fills in, and who renders which tile. */
import { get } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { clock, duration, many, memory, points } from "./format.js";
import { show as showDialog } from "./dialog.js";
import { Picture } from "./picture.js";
import { sayWhy } from "./shell.js";
import { chip, setChip } from "./state.js";
import { fillTable } from "./table.js";

const ROWS_MORE = 64;

/** A worker's log, in a box of its own. */
export async function showLog(project, lease, url) {
	try {
		const text = await get(url(`/api/projects/${project}/logs/${lease}`));
		showDialog(`What the worker reported about job ${lease}`, el("pre", { tabindex: "0" }, text || "It is empty."));
	} catch (problem) {
		sayWhy(problem);
	}
}

function took(seconds) {
	return seconds ? duration(1000 * seconds) : "";
}

function worker(item, me) {
	if (!item.worker) return "";
	return me && item.worker_id ? el("a", { href: `/worker?id=${item.worker_id}` }, item.worker) : item.worker;
}

export class Frame {
	constructor({ url, me }) {
		this.url = url;
		this.me = me;
		this.picture = new Picture(byId("canvas"), url);
		byId("tiles-all").addEventListener("click", () => {
			this.most += ROWS_MORE;
			this.tiles();
		});
	}

	/** Show frame `number`; `item` is its line in the list of frames, when that is known. */
	async show(project, number, item) {
		if (this.number !== number) this.most = ROWS_MORE;
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

	/* A tile with its tries, as fillTable wants to know it whole. */
	told(tile) {
		const tries = this.answer.leases.filter((lease) => lease.row === tile.row && lease.column === tile.column);
		return { ...tile, number: this.number, count: tries.length, log: tries.find((lease) => lease.log)?.id };
	}

	cells(tile) {
		const state = chip(), time = tile.state === "rendering" ? `since ${clock(tile.since_ms)}${tile.progress ? `, ${Math.floor(tile.progress / 10)} %` : ""}` : took(tile.render_s);
		setChip(state, tile.state);
		return [`Row ${tile.row + 1}, column ${tile.column + 1}`, state, worker(tile, this.me), time, tile.memory_kib ? memory(tile.memory_kib) : "", String(tile.count),
			tile.log && el("button", { type: "button", class: "little", onclick: () => showLog(this.project.id, tile.log, this.url) }, "Log")];
	}

	/* Tiles that nobody had yet have nothing to tell: they are only counted. */
	tiles() {
		const tiles = this.answer.tiles.filter((tile) => tile.state !== "waiting" || tile.tries > 0), shown = tiles.slice(0, this.most);
		const others = this.answer.tiles.length - tiles.length;
		setText(byId("tiles-waiting"), others ? `${many(others, "tile")} wait${others === 1 ? "s" : ""} for a worker.` : "");
		byId("tiles-table").hidden = tiles.length === 0;
		byId("legend").hidden = Boolean(this.picture.whole);
		fillTable(byId("tiles"), shown.map((tile) => this.told(tile)), (tile) => `${tile.row}-${tile.column}`, (tile) => this.cells(tile));
		byId("tiles-all").hidden = shown.length === tiles.length;
	}

	/* Every lending of the frame's tiles, newest first. */
	tries() {
		const leases = this.answer.leases ?? [];
		byId("history").hidden = leases.length === 0;
		setText(byId("history-count"), `Every try (${leases.length})`);
		fillTable(byId("leases"), leases.slice(0, 200), (lease) => lease.id, (lease) => [String(lease.id), `${lease.row + 1}, ${lease.column + 1}`, worker(lease, this.me), clock(lease.since_ms),
			took(lease.render_s), lease.outcome || lease.state, lease.points && points(lease.points)]);
	}
}
