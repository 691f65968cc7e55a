/* home: the projects that the viewer may see, newest first; for strangers, what this farm is. What is searched and shown stands in the address. */
import { address, get } from "./api.js";
import { byId, el, gate, setText, sync } from "./dom.js";
import { now, watch } from "./events.js";
import { bytes, many, number } from "./format.js";
import { fillRow, makeRow } from "./project_row.js";
import { farm, may, who } from "./session.js";
import { fail } from "./shell.js";
import { PROJECT_STATES, word } from "./state.js";

const LIMIT = 25, TYPING_MS = 250;
const filter = byId("filter"), list = byId("projects");
const trail = [];                /* the `before` of the pages in front of this one */
let me, before = "", serial = 0, typing = 0;

function chosen() {
	const data = new FormData(filter);
	return { q: data.get("q").trim(), owner: data.get("owner").trim(), state: data.get("state") ?? "" };
}

function anyChosen() {
	return Object.values(chosen()).some(Boolean);
}

function sum(counts) {
	return Object.values(counts).reduce((all, each) => all + each, 0);
}

function setCounts(counts) {
	if (!counts) return;
	for (const label of byId("states").querySelectorAll("label")) {
		const state = label.firstElementChild.value;
		setText(label.lastElementChild, number(state ? counts[state] ?? 0 : sum(counts)));
	}
}

function empty() {
	const box = byId("empty");
	if (anyChosen()) box.replaceChildren(el("p", {}, "No project fits this search."), el("button", { type: "button", onclick: forget }, "Show all projects"));
	else if (may(me, "submitter")) box.replaceChildren(gate(), el("p", {}, "There are no projects yet. Bring a .blend, or a .zip with everything it needs, and the farm renders it."), el("a", { class: "button primary", href: "/upload" }, "Upload a scene"));
	else box.replaceChildren(gate(), el("p", {}, "There are no projects that you may see. You can still lend the farm a machine."), el("a", { class: "button", href: "/join" }, "Lend a machine"));
}

function show({ projects, next, counts }) {
	sync(list, projects, (p) => p.id, () => makeRow(load), fillRow);
	setCounts(counts);
	byId("empty").hidden = projects.length > 0;
	if (!projects.length && byId("empty").dataset.for !== String(anyChosen())) empty();
	byId("empty").dataset.for = projects.length ? "" : String(anyChosen());
	byId("newer").hidden = trail.length === 0 && !before;
	byId("older").hidden = !next;
	byId("older").dataset.before = next ?? "";
	setText(byId("found"), anyChosen() ? `${many(projects.length, "project")}${next ? " or more" : ""} found` : "");
}

async function load() {
	const mine = ++serial;
	try {
		const answer = await get(address("/api/projects", { ...chosen(), before, limit: LIMIT }));
		if (mine !== serial) return;
		fail(null);
		show(answer);
	} catch (problem) {
		if (mine === serial) fail(problem);
	}
}

async function storage() {
	const { disk, queue } = await get("/api/status");
	if (!disk) return;
	setText(byId("storage"), `${many(sum(queue.projects), "project")}, taking up ${bytes(disk.used)} of storage. ${bytes(disk.free)} of ${bytes(disk.total)} are free.`);
	byId("full").hidden = disk.free > disk.reserve;
}

function reload() {
	load();
	storage().catch(() => {});
}

function go(to) {
	before = to;
	history.replaceState(null, "", address("/", { ...chosen(), before }));
	load();
}

function refilter() {
	trail.length = 0;
	go("");
}

function forget() {
	filter.reset();
	filter.querySelector('[name=state][value=""]').checked = true;
	refilter();
	filter.elements.q.focus();
}

function states() {
	return ["", ...PROJECT_STATES].map((state) =>
		el("label", {}, el("input", { type: "radio", name: "state", value: state, checked: state === "" }), state ? word(state) : "All", " ", el("span", { class: "soft" })));
}

function restore() {
	const query = new URLSearchParams(location.search);
	for (const name of ["q", "owner"]) filter.elements[name].value = query.get(name) ?? "";
	const state = [...filter.querySelectorAll("[name=state]")].find((radio) => radio.value === query.get("state"));
	if (state) state.checked = true;
	before = query.get("before") ?? "";
}

function listen() {
	filter.addEventListener("submit", (event) => event.preventDefault());
	filter.addEventListener("input", () => {
		clearTimeout(typing);
		typing = setTimeout(refilter, TYPING_MS);
	});
	byId("older").addEventListener("click", (event) => {
		trail.push(before);
		go(event.currentTarget.dataset.before);
		scrollTo(0, 0);
	});
	byId("newer").addEventListener("click", () => {
		go(trail.pop() ?? "");
		scrollTo(0, 0);
	});
}

async function projects() {
	byId("states").append(...states());
	byId("list").hidden = false;
	byId("upload").hidden = !may(me, "submitter");
	restore();
	listen();
	await load();
	watch({ changed: reload, tick: reload });
	storage().catch(() => {});
}

async function start() {
	me = await who();
	if (me) return projects();
	byId("welcome").hidden = false;
	const status = await farm().catch(() => null);
	byId("register").hidden = !status || status.registration === "closed";
}

start().catch((problem) => {
	fail(problem);
	setTimeout(() => location.reload(), 15000);
});
addEventListener("pageshow", (event) => event.persisted && now());
