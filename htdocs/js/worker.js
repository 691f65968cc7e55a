/* worker: one machine: what it does, what it is, what it gave, and its log; its owner and admins manage it here. */
import { get, post } from "./api.js";
import { ask } from "./dialog.js";
import { byId, el, setText, sync } from "./dom.js";
import { clicks, select } from "./form.js";
import { clock, duration, many, memory, points } from "./format.js";
import { doingWords, fillJob, makeJob, versionOf } from "./machine.js";
import { may, needed } from "./session.js";
import { keep, say, sayWhy } from "./shell.js";
import { chip, setChip } from "./state.js";
import { fillFacts, fillTable } from "./table.js";

const id = Number(new URLSearchParams(location.search).get("id")), state = chip();
const ANSWERS = { 200: "nothing to do", 201: "no role worker", 203: "set aside", 205: "no renderer for it" };
const KINDS = {
	login: "Logged in", logout: "Logged out", ask: "Asked for work", report: "Reported an error", log: "Sent its log", lent: "Got a task", delivered: "Delivered",
	failed: "Failed", returned: "Gave back", expired: "Fell silent", cancelled: "Was told to stop", late: "Delivered late",
};
const WHILE = [["", "Until it is allowed again"], ["3600", "One hour"], ["28800", "Eight hours"], ["86400", "One day"], ["604800", "One week"]];
let me, worker;

function lines(log) {
	const rows = log.map((line, i) => ({ ...line, key: `${line.at_ms} ${line.kind} ${line.lease} ${log.length - i}` }));
	fillTable(byId("log"), rows, (line) => line.key, (line) => [
		clock(line.at_ms), `${KINDS[line.kind] ?? line.kind}${line.kind === "ask" ? `: ${line.answer}, ${ANSWERS[line.answer] ?? ""}` : ""}`,
		line.project && el("a", { href: `/project?id=${line.project}` }, String(line.project)), el("span", { class: "small" }, line.text)]);
	byId("log-card").hidden = false;
}

function show(w) {
	worker = w;
	document.title = `${w.name} · Farmgate`;
	setText(byId("name"), w.name);
	setChip(state, w.state);
	setText(byId("about"), [w.mine ? "yours" : `of ${w.owner || "nobody"}`, ...w.tags].join(" · "));
	setText(byId("doing"), doingWords(w));
	sync(byId("jobs"), w.jobs, (job) => job.lease, makeJob, fillJob);
	fillFacts(byId("machine"), [["System", `${w.os}, ${w.bits}`], ["Processor", w.cpu], ["Cores", w.cores], ["Memory", w.ram_kib && memory(w.ram_kib)], ["Graphics", w.gpu], ["Program", versionOf(w)],
		["Sleeps", w.sleep && `${w.sleep.from} to ${w.sleep.to}, ${w.sleep.zone}`]]);
	fillFacts(byId("given"), [["Frames and tiles", many(w.frames, "picture")], ["Render time", duration(w.render_s * 1000)], ["Points", points(w.points)], ["Failures", `${w.failures_24h} in 24 hours`],
		["Last heard of", clock(w.seen_ms)]]);
	const manages = w.mine || may(me);
	byId("actions").hidden = !manages;
	byId("aside").hidden = w.state === "aside" || w.state === "disabled";
	byId("allow").hidden = !(w.aside_mine || (may(me) && (w.aside || w.state === "disabled")));
	if (w.log) lines(w.log);
	byId("all").hidden = false;
}

/* A stranger's machine: what the list says of it. */
async function fromList() {
	const { workers } = await get("/api/workers?all=1");
	const found = workers.find((w) => w.id === id);
	if (!found) throw new Error("There is no such machine, or it has not been here for 30 days.");
	return found;
}

async function load() {
	show(worker && !worker.log ? await fromList() : await get(`/api/workers/${id}`).catch((problem) => problem.status === 403 ? fromList() : Promise.reject(problem)));
}

async function act(action, data, words) {
	show(await post(`/api/workers/${id}/${action}`, data));
	say(words);
}

function aside() {
	return ask({
		title: `Set ${worker.name} aside?`, text: ["It is lent nothing more; what it renders now, it may finish. It hears 203: a stock client then waits until it is started again."],
		fields: [{ name: "why", label: "Why", hint: "Shown to whoever looks at it. May be empty.", maxlength: 250 }, { label: "For how long", options: select({ name: "seconds" }, WHILE) }],
		action: "Set aside", work: ({ why, seconds }) => act("aside", { ...(why && { why }), ...(seconds && { seconds }) }, "It is set aside."),
	});
}

function sleep() {
	const now = worker.sleep ?? { from: "", to: "", zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
	return ask({
		title: `When does ${worker.name} sleep?`, text: ["Between these times it is lent nothing. What it renders when they begin, it finishes. Leave both empty, and it never sleeps."],
		fields: [{ name: "from", type: "time", label: "From", value: now.from }, { name: "to", type: "time", label: "To", value: now.to }, { name: "zone", label: "Time zone", value: now.zone, hint: "As Europe/Berlin" }],
		action: "Save", work: ({ from, to, zone }) => act("sleep", from && to ? { from, to, zone } : { from: "", to: "", zone: "" }, from && to ? `It sleeps from ${from} to ${to}.` : "It never sleeps."),
	});
}

function rename() {
	return ask({ title: "Rename", fields: [{ name: "name", label: "Name", value: worker.name, required: true, maxlength: 64 }], action: "Rename", work: (given) => act("rename", given, "It is renamed.") });
}

function tag() {
	return ask({ title: "Tags", fields: [{ name: "tags", label: "Tags", value: worker.tags.join(" "), hint: "Words of your own, separated by blanks." }], action: "Save", work: (given) => act("tags", given, "The tags are saved.") });
}

async function start() {
	me = await needed();
	byId("state").append(state);
	for (const [name, work] of Object.entries({ aside, sleep, rename, tags: tag })) byId(name).addEventListener("click", work);
	clicks(byId("allow"), () => act("allow", {}, "It may render again."), sayWhy);
	keep(load, true);
}

start();
