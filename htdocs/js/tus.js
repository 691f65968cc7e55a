/* tus: a file goes to the farm in pieces of 16 MB (tus 1.0). A broken line is tried again, later and later, from where the farm says it goes on;
 * what is known of the upload stays in the browser, so that after a reload the same file, chosen again, goes on too. */
import { changing, Problem } from "./api.js";

const PIECE = 16 * 1024 * 1024, FIRST_WAIT_MS = 1000, MOST_WAIT_MS = 30000, RATE_MS = 8000, KEY = "farmgate.upload";
const PASSING = new Set([0, 408, 409, 423, 425, 429, 500, 502, 503, 504]);  /* what trying again may mend */

/** The upload that this browser knows of: {id, name, size, print}, or null. */
export function known() {
	try {
		return JSON.parse(localStorage.getItem(KEY));
	} catch {
		return null;
	}
}

/** It is not needed any more. */
export function forget() {
	localStorage.removeItem(KEY);
}

function base64(text) {
	return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

async function answerOf(response) {
	const type = response.headers.get("Content-Type") ?? "";
	return type.startsWith("application/json") ? response.json().catch(() => null) : null;
}

async function ask(method, url, headers) {
	let response;
	try {
		response = await fetch(url, { method, cache: "no-store", headers: { "Tus-Resumable": "1.0.0", ...headers } });
	} catch {
		throw new Problem(0);
	}
	if (!response.ok) throw new Problem(response.status, await answerOf(response));
	return response.headers;
}

/** How many bytes of it the farm has; or how many thousandths of its work on it are done. */
export async function offsetOf(id, what = "Offset") {
	return Number((await ask("HEAD", `/api/upload/${id}`)).get(`Upload-${what}`));
}

/** Tell the farm that it won't be finished. */
export async function abandon(id) {
	await ask("DELETE", `/api/upload/${id}`, await changing()).catch(() => {});
	forget();
}

/* XMLHttpRequest, because fetch says nothing while it sends. */
function patch(url, headers, piece, progress, register) {
	return new Promise((resolve, reject) => {
		const xhr = new XMLHttpRequest();
		xhr.open("PATCH", url);
		for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
		xhr.upload.addEventListener("progress", (event) => progress(event.loaded));
		xhr.addEventListener("load", () => {
			if (xhr.status === 204) return resolve(Number(xhr.getResponseHeader("Upload-Offset")));
			let answer = null;
			try { answer = JSON.parse(xhr.responseText); } catch { /* not ours */ }
			return reject(new Problem(xhr.status, answer));
		});
		xhr.addEventListener("error", () => reject(new Problem(0)));
		xhr.addEventListener("abort", () => reject(new Stopped()));
		register(xhr);
		xhr.send(piece);
	});
}

/** The person stopped it. */
export class Stopped extends Error {}

/** Bytes a second, over the last seconds. */
class Rate {
	samples = [];

	add(at, now) {
		this.samples.push([now, at]);
		while (this.samples.length > 2 && now - this.samples[0][0] > RATE_MS) this.samples.shift();
	}

	get value() {
		const [first, last] = [this.samples[0], this.samples.at(-1)];
		return last && last[0] - first[0] > 500 ? 1000 * (last[1] - first[1]) / (last[0] - first[0]) : 0;
	}
}

/** One file on its way. `progress({ sent, size, rate })` while it goes, `waiting(ms, problem)` while it doesn't. */
export class Upload {
	constructor(file, { progress, waiting }) {
		Object.assign(this, { file, progress, waiting, offset: 0, failures: 0, stopped: false, rate: new Rate() });
	}

	/** Send it, or what is missing of it. Resolves to its id; a Problem says why not, Stopped that `stop` was called. */
	async send() {
		this.print = [this.file.name, this.file.size, this.file.lastModified].join();
		await this.patiently(() => this.begin());
		while (this.offset < this.file.size) await this.patiently(() => this.piece());
		return this.id;
	}

	/** Stop; what is there stays there. */
	stop() {
		this.stopped = true;
		this.xhr?.abort();
		this.wake?.();
	}

	async begin() {
		const old = known();
		if (old?.print === this.print) {
			this.offset = await offsetOf(old.id).catch((problem) => problem.status === 404 ? -1 : Promise.reject(problem));
			if (this.offset >= 0) return void (this.id = old.id);
		}
		const headers = await ask("POST", "/api/upload", { ...await changing(), "Upload-Length": this.file.size, "Upload-Metadata": `filename ${base64(this.file.name)}` });
		this.id = headers.get("Location").split("/").pop();
		this.offset = 0;
		localStorage.setItem(KEY, JSON.stringify({ id: this.id, name: this.file.name, size: this.file.size, print: this.print }));
	}

	async piece() {
		const url = `/api/upload/${this.id}`;
		if (this.failures) this.offset = await offsetOf(this.id);
		if (this.offset >= this.file.size) return;
		const from = this.offset;
		const headers = { ...await changing(), "Tus-Resumable": "1.0.0", "Upload-Offset": from, "Content-Type": "application/offset+octet-stream" };
		this.offset = await patch(url, headers, this.file.slice(from, from + PIECE), (sent) => this.tell(from + sent), (xhr) => { this.xhr = xhr; });
		this.tell(this.offset);
	}

	tell(sent) {
		this.rate.add(sent, performance.now());
		this.progress({ sent, size: this.file.size, rate: this.rate.value });
	}

	async patiently(step) {
		for (;;) {
			if (this.stopped) throw new Stopped();
			try {
				await step();
				this.failures = 0;
				return;
			} catch (problem) {
				if (!PASSING.has(problem.status)) throw problem;
				await this.rest(Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures++), problem);
			}
		}
	}

	rest(ms, problem) {
		this.waiting(ms, problem);
		this.rate = new Rate();
		return new Promise((resolve) => {
			const end = () => {
				clearTimeout(timer);
				removeEventListener("online", end);
				resolve();
			};
			const timer = setTimeout(end, ms);
			addEventListener("online", end);
			this.wake = end;
		});
	}
}
