/* runs: solver runs of the launcher: a form, the cores, the queue, the table, and one run with its output and charts. */
import { byId, el, gate, setText, shape, sync } from "./dom.js";
import { clicks, sends } from "./form.js";
import { duration } from "./format.js";
import { connect } from "./rpc.js";
import { needed } from "./session.js";
import { fail, say } from "./shell.js";
import { chip, meter, setChip, setMeter } from "./state.js";

const LOOK = { Starting: "waiting", Running: "rendering", Suspended: "paused", Finished: "finished", Error: "failed", sw1: "done", Stopped: "cancelled" };
const LIVE = new Set(["Starting", "Running", "Suspended"]);
const MOST = 1 << 20, ANSI = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f]/g;
const SERIES = { step: "Time step", kinetic: "Kinetic energy", internal: "Internal energy", total: "Total energy", hourglass: "Hourglass energy" };
const runs = new Map();
let call, settings, queue = [], chosen = 0, text = "", drawn = 0, usage = [], map = {}, dragged, due;

const ask = (method, params) => call(method, params).then((result) => (fail(null), result));

/* --- cores */

function paintCores() {
	const taken = Object.keys(map).length;
	setText(byId("cores-said"), `${taken} of ${settings.cores} taken`);
	sync(byId("cores"), Array.from({ length: Math.min(settings.cores, 256) }, (_, i) => i), (i) => i, () => el("span", { class: "tag" }), (node, i) => {
		setText(node, `${i}${map[i] ? ` · run ${map[i]}` : ""}${usage[i] === undefined ? "" : ` · ${Math.round(usage[i])} %`}`);
		node.classList.toggle("soft", !map[i]);
	});
}

function mapCores() {
	map = {};
	for (const run of runs.values()) if (LIVE.has(run.status)) for (const core of JSON.parse(run.allocated_cores || "[]")) map[core] = run.id;
	paintCores();
}

/* --- the queue */

const at = (id) => queue.findIndex((one) => one.id === id);

async function move(id, to) {
	for (let from; (from = at(id)) >= 0 && from !== to;) await ask("switchPositionQueue", { initial: from, new: from + Math.sign(to - from) });
}

function makeWaiting(job) {
	const { id } = job, row = el("li", { class: "line-up", draggable: "true" });
	const act = (text, label, work) => clicks(el("button", { class: "little quiet", type: "button", "aria-label": `${label} run ${id}` }, text), work, fail);
	row.text = el("span", {});
	row.append(row.text, el("span", { class: "buttons right" },
		act("↑", "Earlier:", () => move(id, Math.max(0, at(id) - 1))),
		act("↓", "Later:", () => move(id, Math.min(queue.length - 1, at(id) + 1))),
		act("Remove", "Remove", () => ask("removeFromQueue", { position: at(id) }))));
	row.ondragstart = () => { dragged = id; };
	row.ondragover = (event) => event.preventDefault();
	row.ondrop = (event) => {
		event.preventDefault();
		move(dragged, at(id)).catch(fail);
	};
	return row;
}

function paintQueue() {
	const focus = document.activeElement;
	byId("waiting").hidden = !queue.length;
	sync(byId("queue"), queue, (job) => job.id, makeWaiting, (row, job) => setText(row.text, `${job.id} · ${job.input} · ${job.ncpu} CPU · ${job.why || "next"}`));
	focus.focus();
}

/* --- the table */

function makeRow(run) {
	const row = el("tr");
	row.parts = { name: el("button", { class: "quiet little", type: "button", onclick: () => choose(run.id).then(() => byId("name").scrollIntoView({ block: "center" })).catch(fail) }), message: el("p", { class: "soft small" }), state: chip(), meter: meter(`Progress of run ${run.id}`), left: el("td"), mass: el("td") };
	const part = row.parts;
	row.append(el("td", {}, part.name, part.message), el("td", {}, part.state), el("td", {}, part.meter), part.left, part.mass);
	return row;
}

function fillRow(row, run) {
	const part = row.parts, done = Number(run.progress) || 0;
	setText(part.name, `${run.id} · ${run.input}`);
	setText(part.message, [run.sender, run.message].filter(Boolean).join(" · "));
	setChip(part.state, LOOK[run.status] ?? "waiting");
	setText(part.state, run.status);
	part.meter.className = `meter ${LOOK[run.status] ?? ""}`;
	setMeter(part.meter, done, 0, 100, `${Math.floor(done)} %`);
	setText(part.left, LIVE.has(run.status) ? `${Math.floor(done)} %${run.ETA ? `, ${duration(run.ETA * 1000)}` : ""}` : run.elapsed ? `took ${duration(run.elapsed * 1000)}` : "");
	setText(part.mass, run.pct_mass ? `${run.pct_mass} %` : "");
}

function paint() {
	due = 0;
	sync(byId("runs"), [...runs.values()].sort((a, b) => b.id - a.id).slice(0, 500), (run) => run.id, makeRow, fillRow);
	if (!chosen) return;
	paintButtons();
	paintOutput();
}

/* --- one run */

function button(words, method, params, look = "") {
	return clicks(el("button", { type: "button", class: `little ${look}` }, words), async () => {
		await ask(method, { id: chosen, ...params });
		say(`${words}: sent to run ${chosen}.`);
	}, fail);
}

function paintButtons() {
	const run = runs.get(chosen), place = byId("buttons");
	if (!run || place.dataset.now === run.id + run.status) return;
	place.dataset.now = run.id + run.status;
	if (!LIVE.has(run.status) || !(settings.steers || run.sender === settings.user)) return place.replaceChildren();
	const codes = settings.solvers.find((one) => one.program === run.solver || one.name === run.solver)?.codes.split(" ").filter(Boolean) ?? [];
	place.replaceChildren(button("Stop", "stopJob", {}, "danger"), button("Kill", "KillProcessByJobId", {}, "danger"),
		run.status === "Suspended" ? button("Go on", "resumeJob") : button("Suspend", "suspendJob"), ...codes.map((code) => button(code, "sendD3kill", { payload: code })));
}

function paintOutput() {
	const words = byId("search").value.toLowerCase(), output = byId("output");
	const shown = words ? text.split("\n").filter((line) => line.toLowerCase().includes(words)).join("\n") : text;
	setText(output, shown || (words ? "No line of the output has this." : "No output yet."));
	if (byId("follow").checked) output.scrollTop = output.scrollHeight;
}

function add(more) {
	text = (text + more.replace(ANSI, "")).slice(-MOST);
}

function chart(title, x, y) {
	const low = Math.min(...y), high = Math.max(...y), span = high - low || 1, range = `${title}, ${low.toPrecision(4)} to ${high.toPrecision(4)}`, end = x.at(-1) - x[0] || 1;
	const svg = shape("svg", { viewBox: "0 0 300 80", role: "img", "aria-label": range });
	svg.append(shape("polyline", { fill: "none", stroke: "currentColor", "stroke-width": "1.5", points: y.map((v, i) => `${((x[i] - x[0]) / end) * 300},${78 - ((v - low) / span) * 76}`).join(" ") }));
	return el("figure", {}, el("figcaption", { class: "small soft" }, range), svg);
}

async function paintCharts() {
	drawn = Date.now();
	const id = chosen, data = await call("getCharts", { id });
	const some = data.time?.length > 1 ? Object.entries(SERIES).filter(([key]) => data[key].length === data.time.length) : [];
	if (id !== chosen) return;
	byId("charts").replaceChildren(...some.map(([key, title]) => chart(title, data.time, data[key])));
	if (data.progress?.length > 1) byId("charts").prepend(chart("Progress in %", data.elapsed, data.progress));
}

async function choose(id) {
	const run = runs.get(id), last = await ask("getRunningShells", { id });
	chosen = id;
	byId("one").hidden = false;
	byId("charts").replaceChildren();
	setText(byId("name"), `Run ${id}: ${run.input}`);
	setText(byId("command"), run.command);
	text = "";
	add(last[id]?.stdout ?? (await ask("getJobLog", { id, from: 0 })).text);
	paint();
	paintCharts().catch(() => {});
}

/* --- what is told */

function ended(run) {
	say(`Run ${run.id}: ${run.status}.`);
	try {
		if (Notification.permission === "granted") new Notification(`Run ${run.id}: ${run.status}`, { body: run.input });
	} catch { /* phones have none for pages */ }
}

const HEAR = {
	addJob: ({ job }) => runs.set(job.id, job),
	update_data({ id, payload }) {
		const run = runs.get(id), was = run?.status;
		if (!run) return;
		Object.assign(run, payload);
		if (was !== run.status && !LIVE.has(run.status)) ended(run);
		if (was !== run.status || payload.allocated_cores) mapCores();
		if (id === chosen && Date.now() - drawn > 5000) paintCharts().catch(() => {});
	},
	appendToShell: ({ id, payload }) => id === chosen && add(payload),
	setQueue({ jobs }) { queue = jobs; paintQueue(); },
	cpuUsageUpdate({ cores }) { usage = cores; paintCores(); },
};

/* --- beginning */

function fillForm() {
	const { templates, solvers, folders, cores } = settings;
	byId("template").replaceChildren(...templates.map((one) => el("option", { value: one.expr }, `${one.name}: ${one.expr}`)));
	byId("solver").replaceChildren(...solvers.map((one) => el("option", { value: one.program }, one.name)));
	byId("ncpu").max = cores;
	byId("input").placeholder = `${folders[0] ?? ""}/…`;
	setText(byId("input-hint"), `A file below ${folders.join(" or ")}.`);
	byId("template").onchange = () => {
		byId("expr").value = byId("template").value;
		byId("expr").parentElement.hidden = !/\$(FILE|NUMBER)/.test(byId("expr").value);
	};
	byId("template").onchange();
}

async function load() {
	settings = await ask("getSettings");
	setText(byId("where"), `Solver runs on ${settings.host}: started, queued, followed and stopped.`);
	fillForm();
	runs.clear();
	for (const run of await ask("getFullJobList")) runs.set(run.id, run);
	HEAR.setQueue({ jobs: await ask("getQueue") });
	byId("all").hidden = false;
	byId("empty").hidden = true;
	mapCores();
	paint();
	await ask("startCpuMonitoring");
	if (chosen && runs.has(chosen)) await choose(chosen);
}

function away(opened) {
	const empty = byId("empty");
	if (opened || !byId("all").hidden) return fail(new Error("The connection to the launcher is lost; what you see may be old."));
	empty.hidden = false;
	empty.replaceChildren(gate(), el("p", {}, "No launcher answers here. It is off until an admin sets it up, and lets in whom its settings name."));
}

function offerNotices() {
	const offer = byId("notify");
	offer.hidden = !window.Notification || Notification.permission !== "default";
	offer.onclick = async () => { await Notification.requestPermission(); offerNotices(); };
}

sends(byId("form"), async ({ expr, solver, ncpu, memory, input, clean }) => {
	const job = await call("startJob", { job_data: { expr, solver, ncpu, memory, input }, clean_all: clean });
	say(job.status ? `Run ${job.id} has started.` : `Run ${job.id} waits in the queue.`);
	if (job.status) await choose(job.id);
});
byId("search").addEventListener("input", paintOutput);
byId("follow").addEventListener("change", paintOutput);
await needed();
offerNotices();
call = connect("/rpc", { told: (method, params) => { HEAR[method]?.(params); due ||= setTimeout(paint, 500); }, open: () => load().catch(fail), closed: away });
