/* project: one project, live: its picture as it fills in, its frames, its failures, what can be done with it, and what comes out. */
import { get, post } from "./api.js";
import { accessWords, askAccess } from "./access.js";
import { ask } from "./dialog.js";
import { byId, el, setLink, setText, sync } from "./dom.js";
import { now, watch } from "./events.js";
import { clicks } from "./form.js";
import { ago, bytes, clock, duration, many, memory, number, points } from "./format.js";
import { Frame, showLog } from "./frame.js";
import { Frames } from "./frames.js";
import { askRemoval } from "./removal.js";
import { toLogin, who } from "./session.js";
import { fail, say, sayWhy } from "./shell.js";
import { chip, composeFailed, counts, meter, setChip, setProjectMeter } from "./state.js";
import { fillFacts } from "./table.js";

const query = new URLSearchParams(location.search), id = query.get("id"), link = query.get("link");
const state = chip(), bar = meter("Progress");
let p, frame, frames, follow = true, me;

function url(path) {
	return link ? `${path}${path.includes("?") ? "&" : "?"}link=${encodeURIComponent(link)}` : path;
}

/* --- what it does now */

function doing() {
	const parts = [p.summary || `${counts(p)}.`];
	if (p.next_ask_ms && p.tasks_running === 0 && p.tasks_waiting > 0) parts.push(`The next worker asks at about ${clock(p.next_ask_ms)}.`);
	else if (p.state === "waiting") parts.push("No idle machine is known: busy ones come when done, and more can be lent.");
	return parts.join(" ");
}

function links() {
	setLink(byId("result"), p.result && url(p.result));
	setLink(byId("raw"), p.raw && url(p.raw));
	byId("zip").hidden = Boolean(p.raw) || p.state !== "finished" || !p.may_change;
}

function player() {
	const film = p.result?.endsWith(".mp4") && url(p.result), box = byId("player");
	box.hidden = !film;
	const key = film ? `${film}#${p.finished_ms}` : "";
	if (box.dataset.key === key) return;
	box.dataset.key = key;
	box.querySelector("video")?.remove();
	if (film) box.append(el("video", { controls: true, preload: "metadata", playsinline: true, src: film, poster: p.thumbnail ? url(p.thumbnail) : null, "aria-label": `The film of ${p.title || `project ${p.id}`}` }));
}

function products() {
	const failed = (p.products ?? []).filter((product) => product.state === "failed" && product.why);
	const over = p.state === "failed" && p.message;
	const text = over ? p.summary || p.message : failed.map((product) => `${product.kind}: ${product.why}`).join("\n");
	setText(byId("message"), text);
	byId("message").hidden = !text;
	byId("doing").hidden = Boolean(over);
}

const ENGINES = { CYCLES: "Cycles", BLENDER_EEVEE: "Eevee", BLENDER_EEVEE_NEXT: "Eevee Next", BLENDER_WORKBENCH: "Workbench" };

function facts() {
	const range = p.animation ? `${p.frame_start} to ${p.frame_end}${p.frame_step > 1 ? `, every ${p.frame_step}th` : ""}` : String(p.frame_start);
	return [
		["Blender file", p.blend], ["Scene", p.scene || "the active one"], ["Camera", p.camera || "the scene's"], [p.animation ? "Frames" : "Frame", range],
		["Frames a second", p.animation && String(Math.round(1000 * p.fps_num / p.fps_den) / 1000)],
		["Tiles", p.rows * p.columns > 1 ? `${p.rows} rows × ${p.columns} columns, overscan ${p.overscan}` : "none, whole frames"],
		["Picture", `${p.width} × ${p.height} (${p.percent} %), ${p.format}`], ["Engine", ENGINES[p.engine] ?? (p.engine || "the scene's")],
		["Samples", p.samples ? number(p.samples) : "the scene's"], ["Device", p.device], ["Renderer", p.renderer ? `Blender ${p.renderer}` : "the fitting one"],
		["Denoising", p.no_denoise && "off"], ["Priority", String(p.priority)], ["Uploaded", clock(p.created_ms)], ["Finished", p.finished_ms ? clock(p.finished_ms) : null],
		["Time to render", p.render_s ? duration(1000 * p.render_s) : null], ["Memory", p.memory_kib ? `up to ${memory(p.memory_kib)}` : null],
		["Size on disk", bytes(p.size ?? p.archive_size)], ["Points", p.points ? points(p.points) : null], ["Access", p.access ? accessWords(p) : null],
	];
}

/* --- what can be done */

const ACTIONS = [
	{ name: "pause", text: "Pause", when: () => ["waiting", "rendering"].includes(p.state), said: "It is paused: what is being rendered is still taken." },
	{ name: "resume", text: "Resume", when: () => p.state === "paused", said: "It goes on." },
	{ name: "retry", text: "Try again", when: () => (p.state === "failed" && !composeFailed(p)) || p.state === "cancelled", said: "It goes on where it stopped." },
	{ name: "recomposite", text: "Recomposite", when: () => composeFailed(p) || p.state === "finished", said: "It is put together again." },
];

function showActions() {
	byId("actions").hidden = !p.may_change;
	document.body.classList.toggle("looking", !p.may_change);
	for (const action of ACTIONS) byId(action.name).hidden = !action.when();
	byId("cancel").hidden = !["waiting", "rendering", "paused"].includes(p.state);
	byId("priority").hidden = ["finished", "cancelled", "composing"].includes(p.state);
}

function act(name, data) {
	return post(`/api/projects/${id}/${name}`, data);
}

async function changed(project) {
	if (!project) return;
	p = { ...p, ...project };
	show();
	await refresh();
}

function listen() {
	for (const { name, text, said } of ACTIONS)
		clicks(byId(name), async () => {
			await changed(await act(name));
			say(said);
		}, sayWhy).textContent = text;
	clicks(byId("zip"), async () => {
		await changed(await act("zip"));
		say("The raw frames are being packed; the link appears when they are.");
	}, sayWhy);
	byId("cancel").addEventListener("click", async () => changed(await ask({
		title: "Cancel this project?", text: ["Nothing more of it is rendered. What is done stays, and “Try again” goes on from there."], action: "Stop rendering", danger: true, work: () => act("cancel"),
	})));
	byId("priority").addEventListener("click", async () => changed(await ask({
		title: "Priority", text: ["Among your own projects, the higher goes first. Between people the farm shares out evenly."],
		fields: [{ name: "priority", label: "From -1000 to 1000", type: "number", min: -1000, max: 1000, value: p.priority, required: true }], action: "Save", work: (given) => act("priority", given),
	})));
	byId("rerender").addEventListener("click", askRerender);
	byId("access").addEventListener("click", async () => changed(await askAccess(p)));
	byId("delete").addEventListener("click", async () => {
		if (await askRemoval(p)) location.assign("/");
	});
	byId("follow").addEventListener("change", (event) => {
		follow = event.target.checked;
		if (follow) refresh();
	});
}

/* 1, 2, 3, 7 → "1-3,7" */
function ranges(numbers) {
	const out = [];
	for (const n of [...numbers].sort((a, b) => a - b)) {
		const last = out.at(-1);
		if (last && n === last[1] + p.frame_step) last[1] = n;
		else out.push([n, n]);
	}
	return out.map(([a, b]) => a === b ? String(a) : `${a}-${b}`).join(",");
}

async function askRerender() {
	const given = frames.picked.size ? ranges(frames.picked) : String(frame.number ?? p.frame_start);
	const done = await ask({
		title: "Render frames again", text: ["The old pictures of these frames are replaced. The result is put together again afterwards."],
		fields: [{ name: "frames", label: "Frames", value: given, required: true, hint: "Like 3,7-9" }], action: "Render again", work: (values) => act("rerender", values),
	});
	if (!done) return;
	frames.picked.clear();
	for (const box of byId("frames").querySelectorAll("input")) box.checked = false;
	say("The frames are rendered again.");
	changed(done);
}

/* --- failures */

async function showErrors() {
	const section = byId("failures");
	if (!p.tasks_failed && p.state !== "failed") {
		section.hidden = true;
		return;
	}
	const { groups, total } = await get(url(`/api/projects/${id}/errors`));
	section.hidden = groups.length === 0;
	setText(byId("failures-count"), `${many(total, "failure")}, by cause`);
	sync(byId("causes"), groups, (group) => group.cause, () => el("li", {}, el("p", { class: "cause" }), el("p", { class: "mono small" }), el("p", { class: "soft small" }), el("div", { class: "buttons" })), (node, group) => {
		setText(node.children[0], group.sentence || group.cause);
		setText(node.children[1], group.example ?? "");
		setText(node.children[2], `${many(group.count, "time")} on ${many(group.workers, "machine")}, first ${ago(group.first_ms)}, last ${ago(group.last_ms)}`);
		sync(node.children[3], (group.leases ?? []).filter((lease) => lease.log), (lease) => lease.id, (lease) =>
			el("button", { type: "button", class: "little", onclick: () => showLog(id, lease.id, url) }, `Log of job ${lease.id}, frame ${lease.frame}`));
	});
}

/* --- all together */

function show() {
	const title = p.title || `Project ${p.id}`;
	document.title = `${title} · Farmgate`;
	setText(byId("title"), title);
	setText(byId("about"), `${p.owner} · ${ago(p.created_ms)} · ${bytes(p.size ?? p.archive_size)}`);
	setChip(state, p.state);
	setProjectMeter(bar, p);
	setText(byId("doing"), doing());
	setText(byId("counts"), counts(p, false));
	byId("counts").hidden = !p.summary;
	links();
	player();
	products();
	fillFacts(byId("facts"), facts());
	showActions();
	byId("following").hidden = !["waiting", "rendering"].includes(p.state) || p.frames_total === 1;
	byId("film").hidden = p.frames_total === 1;
}

/* The frame to look at when nobody chose one: one that is rendering, or the next, or the last. */
function wanted() {
	const items = frames.items;
	return (items.find((item) => item.running > 0) ?? items.find((item) => item.state !== "done") ?? items[0])?.frame ?? p.frame_start;
}

async function look(number) {
	frames.mark(number);
	await frame.show(p, number, frames.item(number)).catch(sayWhy);
}

async function choose(number) {
	follow = false;
	byId("follow").checked = false;
	await look(number);
}

let refreshing = false;

/* Show what is; `first` is what the page has just loaded. */
async function refresh(first) {
	if (refreshing) return;
	refreshing = true;
	try {
		p = first ?? await get(url(`/api/projects/${id}`));
		fail(null);
		frames.project = p;
		show();
		if (first || follow && ["waiting", "rendering"].includes(p.state)) await frames.jump(frames.current());
		else await frames.load();
		await look(follow || frame.number === undefined ? wanted() : frame.number);
		await showErrors();
	} catch (problem) {
		gone(problem);
	} finally {
		refreshing = false;
	}
}

function gone(problem) {
	if (!("status" in problem)) throw problem;
	fail(problem);
	if (problem.status === 404) byId("all").hidden = true;
}

function farewell() {
	p.state = "deleted";
	byId("all").hidden = true;
	fail(new Error("This project is deleted."));
}

/* Bars move between the events too. */
async function beat() {
	if (["waiting", "rendering", "composing"].includes(p.state)) await refresh();
}

function warnings() {
	const key = `farmgate.warnings.${id}`, lines = JSON.parse(sessionStorage.getItem(key) ?? "[]");
	sessionStorage.removeItem(key);
	byId("warnings").replaceChildren(...(lines.length ? [el("p", {}, "It renders, but look at this:"), el("ul", {}, lines.map((line) => el("li", {}, line)))] : []));
}

async function start() {
	me = await who();
	byId("state").append(state);
	byId("bar").append(bar);
	p = await get(url(`/api/projects/${id}`));
	frame = new Frame({ url, me });
	frames = new Frames({ url, choose });
	byId("all").hidden = false;
	warnings();
	listen();
	watch({ project: id, feed: Boolean(me), changed: (events) => events?.some((event) => event.kind === "project.deleted") ? farewell() : refresh(), tick: beat });
	await refresh(p);
}

start().catch((problem) => problem.status === 401 ? toLogin() : gone(problem));
addEventListener("pageshow", (event) => event.persisted && now());
