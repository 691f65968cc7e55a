/* state: the words, the colour and the bar that belong to how far something is. */
import { el, setText } from "./dom.js";
import { duration, many, number } from "./format.js";

const WORDS = {
	waiting: "Waiting", rendering: "Rendering", composing: "Composing", stitching: "Stitching", finished: "Finished", done: "Done", failed: "Failed",
	cancelled: "Cancelled", paused: "Paused", online: "Online", idle: "Idle", asleep: "Asleep", aside: "Set aside", disabled: "Disabled", offline: "Offline",
};

/** The states a project can be in, in the order of its life. */
export const PROJECT_STATES = ["waiting", "rendering", "composing", "finished", "failed", "paused", "cancelled"];

/** A state as people say it. */
export function word(state) {
	return WORDS[state] ?? state;
}

/** A coloured dot and the word; never the colour alone. */
export function chip() {
	return el("span", { class: "chip" });
}

export function setChip(node, state) {
	node.className = `chip ${state}`;
	setText(node, word(state));
}

/** A bar: what is done, and behind it what is being done. */
export function meter(label) {
	return el("div", { class: "meter", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" }, el("i"), el("i"));
}

export function setMeter(node, done, running, total, words) {
	const [first, second] = node.children;
	const share = (part) => total > 0 ? Math.min(100, 100 * part / total) : 0;
	first.style.width = `${share(done)}%`;
	second.style.width = `${share(running)}%`;
	node.setAttribute("aria-valuenow", String(Math.floor(share(done))));
	node.setAttribute("aria-valuetext", words);
}

/** What a project does now, for bars: done and running of total. While it composes, the compositor's own. */
export function setProjectMeter(node, p) {
	const composing = p.state === "composing";
	node.classList.remove(...PROJECT_STATES);
	node.classList.add(p.state);
	if (composing) setMeter(node, p.composing ?? 0, 0, 1000, `composed to ${Math.floor((p.composing ?? 0) / 10)} %`);
	else setMeter(node, p.tasks_done, p.tasks_running, p.tasks_total, counts(p));
}

/** "3 rendering, 25 of 120 tiles, about 12 min left"; the time only where `left` asks for it. */
export function counts(p, left = true) {
	const noun = p.rows * p.columns > 1 ? "tile" : "frame";
	const parts = [];
	if (p.state === "composing") return `Putting frames together, ${Math.floor((p.composing ?? 0) / 10)} %`;
	if (p.state === "finished") return `${many(p.frames_total, "frame")}, ${many(p.tasks_total, "tile")}`.replace(p.rows * p.columns > 1 ? "" : /, .*/, "");
	if (p.tasks_running) parts.push(`${number(p.tasks_running)} rendering`);
	parts.push(`${number(p.tasks_done)} of ${many(p.tasks_total, noun)} done`);
	if (p.tasks_failed) parts.push(many(p.tasks_failed, "failure"));
	if (left && p.left_ms && (p.state === "rendering" || p.state === "waiting")) parts.push(`about ${duration(p.left_ms)} left`);
	return parts.join(" · ");
}

/** All tasks are there, and only the putting together failed? Then it is put together again, else rendered again. */
export function composeFailed(p) {
	return p.state === "failed" && p.tasks_total > 0 && p.tasks_done === p.tasks_total;
}
