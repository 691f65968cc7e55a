/* upload: a file comes in, survives reloads and broken lines, and becomes a project by a form that the scene itself has filled in. */
import { address, get, post } from "./api.js";
import { advice } from "./advice.js";
import { byId, el, setText } from "./dom.js";
import { sends, values } from "./form.js";
import { bytes, duration, many } from "./format.js";
import { drawGrid } from "./grid.js";
import { needed } from "./session.js";
import { fail, say } from "./shell.js";
import { meter, setMeter } from "./state.js";
import { abandon, forget, known, offsetOf, Stopped, Upload } from "./tus.js";

const TASKS_MANY = 100000;
const form = byId("choices"), bar = meter("Upload");
let upload = null, told = null, denoisers = null;

function step(name) {
	for (const id of ["choose", "sending", "choices"]) byId(id).hidden = id !== name;
	byId(name).querySelector("h2")?.focus();
}

/* --- the file on its way */

function sentence({ sent, size, rate }) {
	const parts = [`${bytes(sent)} of ${bytes(size)}`];
	if (rate > 0) parts.push(`${bytes(rate)}/s`, `about ${duration(1000 * (size - sent) / rate)} left`);
	return parts.join(" · ");
}

function progress(now, text = sentence(now)) {
	const percent = `${Math.floor(100 * now.sent / now.size)} %`;
	setMeter(bar, now.sent, 0, now.size, percent);
	setText(byId("percent"), percent);
	setText(byId("speed"), text);
	byId("line").hidden = true;
}

/* Work of the farm's that takes long shows how far it is. */
async function watched(id, text, work) {
	let timer = setInterval(async () => {
		const sent = await offsetOf(id, "Done").catch(() => 0);
		if (!timer || !sent) return;
		setText(byId("what"), text);
		byId("stop").hidden = true;
		if (byId("sending").hidden) step("sending");
		progress({ sent, size: 1000 }, "");
	}, 1000);
	try {
		return await work;
	} catch (problem) {
		step(told ? "choices" : "choose");
		throw problem;
	} finally {
		timer = clearInterval(timer);
	}
}

function waiting(ms, problem) {
	setText(byId("line"), `${problem.status ? problem.message : "The line is broken."} Trying again in ${duration(ms)}; what arrived is safe.`);
	byId("line").hidden = false;
}

function unfit(file) {
	if (!/\.(blend|zip)$/i.test(file.name)) return `“${file.name}” is neither a .blend nor a .zip. Choose the scene, or a zip of the folder that holds it.`;
	return file.size === 0 ? `“${file.name}” is empty.` : "";
}

async function take(file) {
	const why = unfit(file);
	fail(why ? new Error(why) : null);
	if (why) return;
	setText(byId("what"), file.name);
	byId("stop").hidden = false;
	step("sending");
	progress({ sent: 0, size: file.size, rate: 0 });
	upload = new Upload(file, { progress, waiting });
	let id;
	try {
		id = await upload.send();
		upload = null;
		await describe(id);
	} catch (problem) {
		upload = null;
		if (problem.status === 422) await abandon(id); /* it is no scene */
		step("choose");
		remember();
		fail(problem instanceof Stopped ? null : problem);
	}
}

/* What an earlier visit left: half a file, or a whole one that has no project yet. */
async function remember() {
	const old = known(), note = byId("known");
	note.hidden = true;
	if (!old) return;
	let there;
	try {
		there = await offsetOf(old.id);
	} catch (problem) {
		if (problem.status === 404 || problem.status === 401) forget();
		return;
	}
	const whole = there === old.size;
	note.replaceChildren(
		el("p", {}, whole ? `“${old.name}” is here already, and has no project yet.` : `“${old.name}” is here to ${Math.floor(100 * there / old.size)} % (${bytes(there)} of ${bytes(old.size)}). Choose the same file again and it goes on from there.`),
		el("div", { class: "buttons" }, whole && el("button", { type: "button", class: "primary little", onclick: () => describe(old.id).catch(fail) }, "Go on with it"),
			el("button", { type: "button", class: "little", onclick: () => abandon(old.id).then(remember) }, "Forget it")));
	note.hidden = false;
}

/* --- the form */

function scene() {
	return told.scene.scenes.find((each) => each.name === form.elements.scene.value) ?? told.scene.scenes[0];
}

function options(select, pairs, chosen) {
	select.replaceChildren(...pairs.map(([value, text]) => el("option", { value }, text)));
	select.value = chosen ?? "";
}

function fillScene() {
	const s = scene(), field = form.elements;
	options(field.camera, (s.cameras ?? []).map((name) => [name, name]), s.camera);
	if (!s.camera) field.camera.prepend(el("option", { value: "" }, "None: choose one"));
	field.start.value = s.frame_start;
	field.end.value = s.frame_end;
	field.step.value = s.frame_step || 1;
	field.kind.value = s.frame_end > s.frame_start ? "animation" : "still";
	field.percent.value = s.percent;
	field.samples.value = s.samples || "";
	field.fps.value = s.fps_base === 1 ? s.fps : `${Math.round(s.fps * 1000)}/${Math.round(s.fps_base * 1000)}`;
	setText(field.format.options[0], `As the scene has it (${s.format.toLowerCase().replaceAll("_", " ")})`);
	setText(field.engine.options[0], `As the scene has it (${s.engine.replace("BLENDER_", "").toLowerCase().replaceAll("_", " ")})`);
	byId("denoising").hidden = !s.denoise;
	field["no-denoise"].checked = s.denoise && denoisers === false;
	refresh();
}

function fill(first) {
	const blends = told.blends?.length ? told.blends : [told.name];
	options(form.elements.blend, blends.map((name) => [name, name]), told.blend ?? form.elements.blend.value);
	byId("which").hidden = blends.length < 2;
	options(form.elements.scene, told.scene.scenes.map((s) => [s.name, s.name]), told.scene.active);
	byId("scenes").hidden = told.scene.scenes.length < 2;
	if (first) form.elements.title.value = told.name.replace(/\.[^.]+$/, "");
	fillScene();
}

function integer(name, least = 1) {
	return Math.max(least, Number.parseInt(form.elements[name].value, 10) || least);
}

function chosen() {
	const still = form.elements.kind.value === "still";
	const start = Number.parseInt(form.elements.start.value, 10) || 0, end = Number.parseInt(form.elements.end.value, 10) || 0;
	const frames = still ? 1 : Math.max(0, Math.floor((end - start) / integer("step")) + 1);
	const rows = Math.min(64, integer("rows")), columns = Math.min(64, integer("columns"));
	return { still, start, end, frames, rows, columns, overscan: Number.parseInt(form.elements.overscan.value, 10) || 0, percent: integer("percent") };
}

/* What was chosen, as it will come out: the grid, the number of tasks, the advice. */
function refresh() {
	if (!told) return;
	const c = chosen(), s = scene();
	const width = Math.max(1, Math.floor(s.width * c.percent / 100)), height = Math.max(1, Math.floor(s.height * c.percent / 100));
	const tasks = c.frames * c.rows * c.columns;
	for (const node of form.querySelectorAll(".animation")) node.hidden = c.still;
	setText(byId("start-label"), c.still ? "Frame" : "First frame");
	drawGrid(byId("grid"), told.thumbnail === false ? "" : address(`/api/preview/upload/${told.id}`, { blend: form.elements.blend.value }), { ...c, width, height });
	setText(byId("size"), `${width} × ${height} pixels, tiles of about ${Math.ceil(width / c.columns)} × ${Math.ceil(height / c.rows)}`);
	setText(byId("tasks"), c.frames ? `${many(c.frames, "frame")} × ${many(c.rows * c.columns, "tile")} = ${many(tasks, "task")}` : "No frames: the last one lies before the first.");
	byId("plenty").hidden = tasks < TASKS_MANY;
	const said = advice(told.scene, s, { tiles: c.rows * c.columns, noDenoise: form.elements["no-denoise"].checked, engine: form.elements.engine.value }, denoisers);
	byId("advice").replaceChildren(...(said.length ? [el("ul", {}, said.map((text) => el("li", {}, text)))] : []));
}

async function describe(id, blend = "", first = true) {
	told = await watched(id, "Looking through the file", get(address(`/api/upload/${id}`, { blend })));
	history.replaceState(null, "", `/upload?id=${id}`);
	fail(null);
	fill(first);
	step("choices");
}

function request() {
	const c = chosen(), v = values(form);
	const frames = c.still ? String(c.start) : `${c.start}-${c.end}${integer("step") > 1 ? `:${integer("step")}` : ""}`;
	const out = { upload: told.id, frames, tiles: `${c.rows}x${c.columns}`, overscan: c.rows * c.columns > 1 ? c.overscan : 0 };
	for (const name of ["title", "scene", "camera", "format", "engine", "device", "renderer", "samples", "percent", "fps", "priority"])
		if (v[name] !== "") out[name] = v[name];
	if (told.blends?.length > 1) out.blend = v.blend;
	if (v["no-denoise"]) out["no-denoise"] = "1";
	return out;
}

async function create() {
	const project = await watched(told.id, "Making the project", post("/api/projects", request()));
	forget();
	if (project.warnings?.length) sessionStorage.setItem(`farmgate.warnings.${project.id}`, JSON.stringify(project.warnings));
	location.assign(`/project?id=${project.id}`);
}

/* --- start */

async function renderers() {
	const { renderers: all } = await get("/api/renderers");
	const versions = [...new Set(all.map((each) => each.version))];
	const known = all.filter((each) => Array.isArray(each.caps));
	denoisers = known.length === all.length ? known.some((each) => each.caps.includes("denoise")) : null;
	form.elements.renderer.append(...versions.map((version) => el("option", { value: version }, `Blender ${version}`)));
	byId("no-renderer").hidden = all.length > 0;
	if (told) fillScene();
}

function dropping() {
	const zone = byId("drop");
	for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
	document.addEventListener("dragover", () => zone.classList.add("over"));
	document.addEventListener("dragleave", () => zone.classList.remove("over"));
	document.addEventListener("drop", (event) => {
		zone.classList.remove("over");
		const [file, more] = event.dataTransfer.files;
		if (!file || upload || byId("choose").hidden) return;
		if (more) fail(new Error("One file at a time: put them into a .zip."));
		else take(file);
	});
	byId("file").addEventListener("change", (event) => event.target.files[0] && take(event.target.files[0]));
}

function listen() {
	dropping();
	sends(form, create);
	form.addEventListener("input", refresh);
	form.elements.scene.addEventListener("change", fillScene);
	form.elements.blend.addEventListener("change", (event) => describe(told.id, event.target.value, false).catch(fail));
	for (const button of form.querySelectorAll("[data-tiles]"))
		button.addEventListener("click", () => {
			[form.elements.rows.value, form.elements.columns.value] = button.dataset.tiles.split("x");
			if (Number(form.elements.overscan.value) === 0) form.elements.overscan.value = 32;
			refresh();
		});
	byId("stop").addEventListener("click", () => upload?.stop());
	byId("another").addEventListener("click", async () => {
		await abandon(told.id);
		told = null;
		history.replaceState(null, "", "/upload");
		byId("file").value = "";
		step("choose");
		say("The upload is forgotten.");
	});
	addEventListener("beforeunload", (event) => upload && event.preventDefault());
}

async function start() {
	await needed("submitter");
	byId("bar").append(bar);
	listen();
	renderers().catch(() => {});
	step("choose");
	const id = new URLSearchParams(location.search).get("id");
	if (id) await describe(id).catch(() => history.replaceState(null, "", "/upload"));
	if (!told) await remember();
}

start().catch(fail);
