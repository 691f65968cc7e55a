/* workers: the machines that are here, what each renders and has given. */
import { address, get } from "./api.js";
import { byId, el, gate, setText, sync } from "./dom.js";
import { ago, duration, many, number, points } from "./format.js";
import { doingWords, fillJob, machineWords, makeJob } from "./machine.js";
import { needed } from "./session.js";
import { fail, keep } from "./shell.js";
import { chip, setChip } from "./state.js";

let workers = [];

function make() {
	const part = { link: el("a"), chip: chip(), about: el("p", { class: "soft small" }), jobs: el("ul", { class: "list" }), given: el("p", { class: "soft small numbers" }) };
	const node = el("li", { class: "card worker" }, el("div", { class: "line" }, el("h2", {}, part.link), part.chip), part.about, part.jobs, part.given);
	node.parts = part;
	return node;
}

function fill(node, w) {
	const part = node.parts;
	setText(part.link, w.name);
	part.link.href = `/worker?id=${w.id}`;
	setChip(part.chip, w.state);
	setText(part.about, [w.mine ? "yours" : `of ${w.owner || "nobody"}`, machineWords(w), ...w.tags].join(" · "));
	sync(part.jobs, w.jobs, (job) => job.lease, makeJob, fillJob);
	const given = w.frames ? `It gave ${many(w.frames, "picture")} in ${duration(w.render_s * 1000)}, ${points(w.points)} points` : "It has given nothing yet";
	const failed = w.failures_24h ? ` · ${many(w.failures_24h, "failure")} in 24 hours` : "";
	const seen = w.state === "offline" ? `Last here ${ago(w.seen_ms)}. ` : w.jobs.length ? "" : `${doingWords(w)} `;
	setText(part.given, `${seen}${given}${failed}`);
}

function summary() {
	const here = workers.filter((w) => w.state !== "offline"), busy = here.filter((w) => w.jobs.length);
	setText(byId("summary"), here.length ? `${many(here.length, "machine")} here, ${busy.length ? `${number(busy.length)} of them rendering` : "none of them rendering"}.` : "No machine is here right now.");
}

async function load() {
	({ workers } = await get(address("/api/workers", { all: byId("all").checked ? 1 : "" })));
	sync(byId("workers"), workers, (w) => w.id, make, fill);
	summary();
	byId("empty").hidden = workers.length > 0;
}

async function start() {
	await needed();
	byId("empty").append(gate(), el("p", {}, "Nobody renders here right now. Lend a machine: it takes a few minutes."), el("a", { class: "button", href: "/join" }, "Lend a machine"));
	byId("all").addEventListener("change", () => load().catch(fail));
	keep(load, true);
}

start();
