/* batches: recipes and what became of them: the list, and one batch with its jobs in their order. */
import { address, changing, get, post, Problem } from "./api.js";
import { byId, el, gate, setText, sync } from "./dom.js";
import { ask } from "./dialog.js";
import { watch } from "./events.js";
import { clicks, sends } from "./form.js";
import { ago, duration, farmTime, many } from "./format.js";
import { may, needed } from "./session.js";
import { fail, say } from "./shell.js";
import { chip, meter, setChip, setMeter } from "./state.js";
import { forget, Upload } from "./tus.js";

const LOOK = { WAITING: "waiting", QUEUED: "waiting", RUNNING: "rendering", FINISHED: "finished", CANCELLED: "cancelled", FAILED: "failed", DISABLED: "disabled" };
const state = chip();
let me, chosen = Number(new URLSearchParams(location.search).get("id")) || 0, before = "";

function name(batch) {
	return batch.name.split(/[/\\]/).pop() || batch.name;
}

function fillState(node, word) {
	setChip(node, LOOK[word]);
	setText(node, word === "WAITING" ? "Not started" : word === "QUEUED" ? "Waiting" : word.charAt(0) + word.slice(1).toLowerCase());
}

/* --- one batch */

function makeJob() {
	const row = el("tr");
	row.parts = { number: el("td", { class: "numbers" }), name: el("span"), state: chip(), meter: meter(""), time: el("td", { class: "numbers" }), message: el("p", { class: "soft small" }) };
	const part = row.parts;
	row.append(part.number, el("td", {}, part.name, part.message), el("td", {}, part.state), el("td", {}, part.meter), part.time);
	return row;
}

function fillJob(row, job) {
	const part = row.parts, words = job.messages.join(" ");
	setText(part.number, String(job.id));
	if (part.name.dataset.project !== String(job.project)) part.name.replaceChildren(job.project ? el("a", { href: `/project?id=${job.project}` }, job.name) : job.name);
	part.name.dataset.project = job.project;
	fillState(part.state, job.status);
	part.meter.setAttribute("aria-label", `Progress of job ${job.id}`);
	part.meter.className = `meter ${LOOK[job.status]}`;
	setMeter(part.meter, job.progress, 0, 100, `${Math.floor(job.progress)} %`);
	setText(part.message, words);
	part.message.hidden = !words;
	const { started, rendertime } = job.times;
	setText(part.time, rendertime ? duration(rendertime * 1000) : started ? duration(farmTime() - started * 1000) : "");
}

function sentence({ status, stats, jobs, times }) {
	const ended = jobs.filter((job) => ["FINISHED", "FAILED", "CANCELLED"].includes(job.status)).length, failed = jobs.filter((job) => job.status === "FAILED").length;
	const parts = [`${ended} of ${many(jobs.filter((job) => job.status !== "DISABLED").length, "job")} ended`];
	if (failed) parts.push(`${failed} failed`);
	if (times.rendertime) parts.push(`took ${duration(times.rendertime * 1000)}`);
	if (stats.average_time !== null)
		parts.push(`a job took ${duration(stats.average_time * 1000)} on average, ${duration(stats.fastest_time * 1000)} (job ${stats.fastest_index}) to ${duration(stats.slowest_time * 1000)} (job ${stats.slowest_index})`);
	return status === "WAITING" ? "It has not been started yet." : `${parts.join(" · ")}.`;
}

function showOne(batch) {
	const { poll } = batch, running = poll.status === "RUNNING";
	byId("one").hidden = false;
	setText(byId("name"), name(batch));
	byId("name").title = batch.name;
	fillState(state, poll.status);
	setText(byId("when"), `${batch.owner} · ${ago(batch.created_ms)}`);
	setText(byId("stats"), sentence(poll));
	byId("messages").hidden = !poll.messages.length;
	const told = poll.messages.join("\n");
	if (byId("messages").dataset.told !== told) byId("messages").replaceChildren(el("ul", {}, poll.messages.map((text) => el("li", {}, text))));
	byId("messages").dataset.told = told;
	sync(byId("jobs"), poll.jobs, (job) => job.id, makeJob, fillJob);
	byId("cancel").hidden = byId("cancel-job").hidden = !running;
	byId("cancel-job").disabled = poll.current_job === null;
	byId("buttons").hidden = false;
	byId("feed").hidden = false;
	byId("feed").href = `/api/batches/${batch.id}/feed`;
}

/* --- the list */

function makeRow() {
	const node = el("li", { class: "card" });
	node.parts = { link: el("a"), chip: chip(), about: el("span", { class: "soft small right" }) };
	node.append(el("div", { class: "line-up" }, node.parts.link, node.parts.chip, node.parts.about));
	return node;
}

function fillRow(node, batch) {
	setText(node.parts.link, name(batch));
	node.parts.link.href = `/batches?id=${batch.id}`;
	fillState(node.parts.chip, batch.state);
	setText(node.parts.about, `${batch.owner} · ${many(batch.jobs, "job")} · ${ago(batch.created_ms)}`);
}

function empty() {
	byId("empty").replaceChildren(gate(), el("p", {}, may(me, "submitter") ? "There are no batches yet. Send a recipe here, or point your add-on at this farm with an API token." : "There are no batches that you may see."),
		may(me, "submitter") ? el("a", { class: "button", href: "/account" }, "Make an API token") : null);
}

async function load() {
	try {
		const { batches, next } = await get(address("/api/batches", { before }));
		const id = chosen || batches[0]?.id;
		sync(byId("batches"), batches, (batch) => batch.id, makeRow, fillRow);
		byId("list").hidden = batches.length < 2 && !before;
		byId("older").hidden = !next;
		byId("older").dataset.before = next ?? "";
		byId("empty").hidden = batches.length > 0 || Boolean(before);
		if (id) showOne(await get(`/api/batches/${id}`));
		fail(null);
	} catch (problem) {
		fail(problem);
	}
}

/* --- a recipe from here */

async function give(path, text) {
	let answer;
	try {
		answer = await fetch(path, { method: "POST", headers: { ...await changing(), ...(text && { "Content-Type": "application/json" }) }, body: text });
	} catch {
		throw new Problem(0);
	}
	const said = await answer.json().catch(() => null);
	if (!answer.ok) throw new Problem(answer.status, { message: said?.status ?? said?.message });
}

async function sendFile(file) {
	const tell = (share) => setText(byId("sending"), `Sending ${file.name}: ${Math.floor(share * 100)} %`);
	await new Upload(file, { progress: ({ sent, size }) => tell(sent / size), waiting: (ms, problem) => setText(byId("sending"), problem.message) }).send();
	forget();
}

async function send(given, form) {
	const text = await form.elements.recipe.files[0].text();
	await give("/batch/recipe", text);
	for (const file of form.elements.files.files) await sendFile(file);
	setText(byId("sending"), "");
	await give("/batch/start");
	form.reset();
	byId("send").open = false;
	say("The batch is started.");
	chosen = 0;
	load();
}

async function stop(what, title, words, action) {
	const id = new URL(byId("feed").href).pathname.split("/")[3];
	if (await ask({ title, text: [words], action, danger: true, work: () => post(`/api/batches/${id}/${what}`) })) load();
}

async function start() {
	me = await needed();
	byId("state").append(state);
	byId("send").hidden = !may(me, "submitter");
	empty();
	sends(byId("form"), send);
	clicks(byId("cancel-job"), () => stop("cancel_job", "Cancel this job?", "What it has rendered stays in its project; the next job begins.", "Cancel the job"), fail);
	clicks(byId("cancel"), () => stop("cancel", "Cancel the batch?", "The running job ends, and those that wait are not rendered.", "Cancel the batch"), fail);
	byId("older").addEventListener("click", (event) => {
		before = event.currentTarget.dataset.before;
		load();
	});
	await load();
	watch({ changed: load, tick: load });
}

start().catch(fail);
