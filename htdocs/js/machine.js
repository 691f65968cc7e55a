/* machine: a worker in words, for the list of them and for its own page. */
import { el } from "./dom.js";
import { clock, duration, memory } from "./format.js";
import { meter, setMeter } from "./state.js";

const SYSTEMS = { linux: "Linux", windows: "Windows", mac: "macOS" };

/** "Linux · 8 cores · 32 GB · AMD EPYC · farmgate-worker 1.0" */
export function machineWords(w) {
	return [SYSTEMS[w.os] ?? w.os, w.cores && `${w.cores} cores`, w.ram_kib && memory(w.ram_kib), w.cpu, w.gpu, versionOf(w)].filter(Boolean).join(" · ");
}

/** The program it runs. */
export function versionOf(w) {
	return `${w.own ? "farmgate-worker" : "client"} ${w.version}`;
}

/** What it does, or why it does nothing, and when it asks next. */
export function doingWords(w) {
	const next = w.next_ask_ms ? ` It is expected to ask again at about ${clock(w.next_ask_ms)}.` : "";
	switch (w.state) {
	case "aside": return `Set aside${w.aside ? `: ${w.aside}` : ""}${w.aside_until_ms ? `, until ${clock(w.aside_until_ms)}` : ", until it is allowed again"}.`;
	case "asleep": return `It sleeps, from ${w.sleep.from} to ${w.sleep.to} (${w.sleep.zone}).${next}`;
	case "disabled": return "Its account or its key is disabled.";
	case "offline": return w.seen_ms ? `Last heard of at ${clock(w.seen_ms)}.` : "Not heard of yet.";
	case "idle": return `It has nothing to do.${next}`;
	default: return "";
	}
}

/** One task that it renders, empty. */
export function makeJob() {
	return el("li", { class: "job" }, el("span"), meter("Progress"));
}

export function fillJob(node, job) {
	const tile = job.row === null || job.row === undefined ? "" : `, row ${job.row + 1}, column ${job.column + 1}`;
	const left = job.left_s > 0 ? `, about ${duration(job.left_s * 1000)} left` : "";
	const title = job.title === null ? "A project that isn't yours to see" : el("a", { href: `/project?id=${job.project}` }, job.title || `Project ${job.project}`);
	const words = ` · frame ${job.frame}${tile} · since ${clock(job.since_ms)}${left}`;
	if (node.print !== words) node.firstElementChild.replaceChildren(title, words);
	node.print = words;
	setMeter(node.lastElementChild, job.progress, 0, 1000, `${Math.floor(job.progress / 10)} %`);
}
