/* status: how the farm is: its queue and its disk; for admins also its programs, their versions and what they write. */
import { get } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { bytes, clock, duration, many, number } from "./format.js";
import { may, needed } from "./session.js";
import { keep } from "./shell.js";
import { meter, PROJECT_STATES, setMeter, word } from "./state.js";
import { fillFacts, fillTable } from "./table.js";

const LINES = 500, LOG_MS = 3000, bar = meter("Storage in use");
let after = 0, me;

function queue({ queue: q, workers }) {
	const states = PROJECT_STATES.filter((state) => q.projects[state]).map((state) => `${number(q.projects[state])} ${word(state).toLowerCase()}`);
	setText(byId("summary"), q.running ? `${many(q.running, "task")} rendering on ${many(workers.rendering, "machine")}.` : q.waiting ? "Nothing renders; tasks wait for a machine." : "Nothing waits: the farm is at rest.");
	fillFacts(byId("queue"), [["Tasks", `${number(q.running)} rendering, ${number(q.waiting)} waiting`], ["Being put together", String(q.composing)],
		["Projects", states.join(", ") || "none"], ["Machines", `${number(workers.online)} here: ${workers.rendering} rendering, ${workers.idle} idle`]]);
}

function disk(d) {
	setMeter(bar, d.total - d.free, 0, d.total, `${bytes(d.free)} free of ${bytes(d.total)}`);
	setText(byId("disk"), `${bytes(d.free)} free of ${bytes(d.total)}; projects take ${bytes(d.used)}.`);
	setText(byId("reserve"), d.reserve ? `Below ${bytes(d.reserve)} nothing is uploaded or lent; results are still taken.` : "");
}

/* A program is several processes; what counts is the one that has lived longest. */
function programs(list) {
	const byName = new Map();
	for (const { name, alive_since_ms: since } of list) {
		const row = byName.get(name) ?? { name, count: 0, since };
		byName.set(name, { name, count: row.count + 1, since: Math.min(row.since, since) });
	}
	fillTable(byId("programs"), [...byName.values()], (row) => row.name, (row) => [row.name, String(row.count), clock(row.since)]);
}

function admin(status) {
	byId("admin").hidden = false;
	programs(status.programs);
	const { sqlite: SQLite, ffmpeg: FFmpeg, ...rest } = status.versions;
	fillFacts(byId("versions"), [...Object.entries({ ...rest, SQLite, FFmpeg }), ["Up for", duration(status.uptime_ms)], ["Write-ahead log", many(status.log_pages, "page")]]);
}

async function load() {
	const status = await get("/api/status");
	queue(status);
	disk(status.disk);
	if (status.programs) admin(status);
}

async function log() {
	if (document.hidden || !byId("follow").checked) return;
	const box = byId("log"), atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
	const answer = await get(`/api/status/log?after=${after}`);
	after = answer.after || after;
	box.append(...answer.lines.map((line) => el("span", {}, `${line}\n`)));
	while (box.childElementCount > LINES) box.firstElementChild.remove();
	if (atEnd) box.scrollTop = box.scrollHeight;
}

function tail() {
	log().catch(() => {}).finally(() => setTimeout(tail, LOG_MS));
}

async function start() {
	me = await needed();
	byId("bar").append(bar);
	await keep(load, true);
	if (may(me)) tail();
}

start();
