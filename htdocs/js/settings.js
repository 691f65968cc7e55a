/* settings: for admins: what can be set, renderers, the check of rows against files, and purging. */
import { get, post, remove } from "./api.js";
import { ask } from "./dialog.js";
import { byId, el, setText, sync } from "./dom.js";
import { clicks, field, select, sends } from "./form.js";
import { bytes, duration, many } from "./format.js";
import { needed } from "./session.js";
import { fail, keep, say, sayWhy } from "./shell.js";
import { meter, setMeter } from "./state.js";
import { fillTable } from "./table.js";
import { forget, Upload } from "./tus.js";

/** Which settings belong together, by the first word of their names; what is in none comes last. */
const GROUPS = [["People and the farm's name", "farm registration login"], ["Workers and rendering", "oldest lease task session project worker point"], ["Storage and limits", "retention disk raw upload archive frame log"],
	["Putting films together", "compositor"], ["Batches", "batch"], ["Live connections", "live app events"], ["More", ""]];
const CHOICES = { registration: ["closed", "invitation", "open"] };
const CHECK_MS = 1000;
const SYSTEMS = [["linux", "Linux"], ["windows", "Windows"], ["mac", "macOS"]], ARCHS = [["64bit", "64 bit"], ["32bit", "32 bit"]];
const PASSWORD = { name: "password", type: "password", label: "Your password", required: true, autocomplete: "current-password" };

/* --- settings */

function meaning(setting, value) {
	if (setting.kind !== "int") return "";
	if (setting.name.endsWith("_bytes")) return ` Now ${bytes(value)}.`;
	return setting.name.endsWith("_seconds") && value >= 60 ? ` Now ${duration(value * 1000)}.` : "";
}

function title(name) {
	const words = name.replace(/_(bytes|seconds|days)$/, "").replaceAll("_", " ");
	return words[0].toUpperCase() + words.slice(1);
}

function control(s) {
	const attributes = { name: "value", disabled: !s.live };
	if (CHOICES[s.name]) return select(attributes, CHOICES[s.name].map((each) => [each, each]), s.value);
	if (s.kind === "int" && s.min === 0 && s.max === 1) return select(attributes, [["0", "no"], ["1", "yes"]], String(s.value));
	return el("input", { ...attributes, type: s.kind === "int" ? "number" : "text", min: s.min, max: s.max, value: s.value, required: s.kind === "int" });
}

function row(s) {
	const unit = s.name.match(/_(bytes|seconds|days)$/)?.[1], input = control(s);
	const place = field(title(s.name) + (unit ? `, ${unit}` : ""), input, s.doc + meaning(s, s.value) + (s.live ? "" : " Set in farmgate.conf."));
	const save = el("button", { class: "little primary" }, "Save"), buttons = el("div", { class: "buttons", hidden: true }, save, el("button", { type: "reset", class: "little" }, "Undo"));
	const form = el("form", { class: "setting" }, place, buttons), standard = String(s.value);
	form.addEventListener("input", () => { buttons.hidden = input.value === standard; });
	form.addEventListener("reset", () => { buttons.hidden = true; });
	sends(form, async ({ value }) => {
		form.replaceWith(row(await post("/api/settings", { name: s.name, value })));
		say(`${title(s.name)} is saved.`);
	});
	return form;
}

async function settings() {
	const { settings: all } = await get("/api/settings"), left = new Set(all);
	for (const [name, words] of GROUPS) {
		const mine = [...left].filter((s) => !words || words.split(" ").includes(s.name.split("_")[0])).sort((a, b) => b.live - a.live);
		for (const s of mine) left.delete(s);
		if (mine.length) byId("groups").append(el("details", { class: "card", open: byId("groups").childElementCount === 0 }, el("summary", {}, el("h2", {}, name)), mine.map(row)));
	}
}

/* --- renderers */

function away(r) {
	return el("button", { type: "button", class: "little danger", "aria-label": `Remove Blender ${r.version} for ${r.os}`, onclick: () => ask({
		title: `Remove Blender ${r.version} for ${r.os}?`, text: ["Projects that need it wait until it is there again."], fields: [PASSWORD], action: "Remove", danger: true,
		work: async (given) => {
			await remove(`/api/renderers/${r.id}`, given);
			await renderers();
		},
	}) }, "Remove");
}

function working({ state }) {
	return state === "working" || state === "waiting";
}

function makeImport() {
	return el("li", {}, el("span"), meter("Import"));
}

function fillImport(node, i) {
	setText(node.firstElementChild, `${i.name}: ${i.message || (i.state === "failed" ? "it failed" : "being unpacked and tried")}`);
	node.lastElementChild.hidden = i.state === "failed";
	setMeter(node.lastElementChild, i.progress, 0, 1000, `${Math.floor(i.progress / 10)} %`);
}

async function renderers() {
	const { renderers: all, imports = [] } = await get("/api/renderers");
	fillTable(byId("renderers"), all, (r) => r.id, (r) => [`Blender ${r.version}`, `${r.os}, ${r.bits}`, r.caps ? r.caps.join(", ") : "not tried", bytes(r.size), el("code", { title: r.sha256 }, `${(r.sha256 ?? "").slice(0, 12)}…`), away(r)]);
	sync(byId("imports"), imports.filter((i) => i.state !== "done").slice(0, 3), (i) => i.id, makeImport, fillImport);
	byId("no-renderers").hidden = all.length > 0 || imports.some(working);
	byId("renderers").closest(".table").hidden = all.length === 0;
}

function add() {
	const file = el("input", { type: "file", accept: ".xz,.zip,.dmg,.tar,.gz,.bz2", required: true }), bar = meter("Upload"), words = el("p", { class: "hint", role: "status" });
	return ask({
		title: "Add a renderer", action: "Add", extra: [field("Archive", file, "As Blender's site gives it: blender-4.2.1-linux-x64.tar.xz, for example."), bar, words],
		fields: [{ label: "For the system", options: select({ name: "os" }, SYSTEMS) }, { label: "For the processor", options: select({ name: "arch" }, ARCHS) }, { ...PASSWORD, hint: "Machines will run what you add, so we ask again. It is recorded." }],
		work: async (given) => {
			const progress = ({ sent, size }) => {
				setMeter(bar, sent, 0, size, `${bytes(sent)} of ${bytes(size)}`);
				setText(words, `${bytes(sent)} of ${bytes(size)}`);
			};
			const upload = await new Upload(file.files[0], { progress, waiting: (ms, problem) => setText(words, problem.message) }).send();
			await post("/api/renderers", { upload, ...given });
			forget();
			await renderers();
		},
	});
}

/* --- check and purge */

function checkWords(c) {
	if (working(c)) return c.total ? `Checking: ${c.checked} of ${c.total}` : "Checking…";
	if (c.state === "failed") return c.message;
	return c.state === "done" ? `${c.findings.length ? many(c.findings.length, "finding") : "All is well"} in ${many(c.checked, "row")}${c.mended ? `; ${c.mended} mended` : ""}.` : "";
}

async function checking() {
	const c = await get("/api/settings/check");
	setText(byId("checked"), checkWords(c));
	byId("findings").replaceChildren(...(c.findings ?? []).map((text) => el("li", {}, text)));
	if (working(c)) setTimeout(() => checking().catch(() => {}), CHECK_MS);
}

async function purging() {
	const c = await get("/api/settings/purge");
	setText(byId("purged"), working(c) ? "Purging…" : c.state === "done" ? "Everything is purged." : c.message ?? "");
	if (working(c)) setTimeout(() => purging().catch(() => {}), CHECK_MS);
}

async function check(mend) {
	await post("/api/settings/check", { mend });
	await checking();
}

async function purge() {
	const { farm: name } = await get("/api/status");
	await ask({
		title: "Purge everything?", text: ["Every project of everybody is removed, with all scenes and results. It can't be undone."], danger: true, action: "Purge everything",
		fields: [{ name: "name", label: "Type the farm's name to confirm", match: name, hint: name, autocomplete: "off" }, PASSWORD], work: async (given) => {
			await post("/api/settings/purge", { ...given, name });
			await purging();
		},
	});
}

async function start() {
	byId("add").addEventListener("click", add);
	byId("purge").addEventListener("click", purge);
	clicks(byId("check"), () => check(0), sayWhy);
	clicks(byId("mend"), () => check(1), sayWhy);
	await needed("admin");
	await settings();
	await keep(renderers);
	await checking();
}

start().catch(fail);
