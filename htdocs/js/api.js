/* api: the one door to /api. What comes back is the answer's JSON, or a Problem whose message is a sentence for people. */
import { setTime } from "./format.js";

const SENTENCES = {
	0: "The farm can't be reached. Check the network; trying again costs nothing.",
	401: "You are not logged in, or the login has ended. Log in and try again.",
	403: "Your account may not do this. Ask the farm's admin.",
	404: "There is nothing here, or it is not for you to see.",
	413: "This is more than the farm takes.",
	429: "Too many tries. Wait a minute.",
	502: "This part of the farm isn't answering right now. Try again in a moment.",
	507: "The farm's disk is full. Something has to be deleted first.",
};

/** What went wrong: `status` is HTTP's, 0 when nobody answered; `answer` the JSON that came with it. */
export class Problem extends Error {
	constructor(status, answer) {
		super(answer?.message ? sentence(answer.message) : SENTENCES[status] ?? `The farm answered with error ${status}. Try again in a moment.`);
		this.status = status;
		this.answer = answer;
	}
}

/* The programs' sentences are fragments of a log line as well: here they get a capital and a full stop. */
function sentence(text) {
	const first = text.charAt(0).toUpperCase() + text.slice(1);
	return /[.!?]$/.test(first) ? first : first + ".";
}

let csrf = "";

/** The token that changes carry; login.js and session.js hand it over. */
export function setCsrf(token) {
	csrf = token;
}

/** The headers of a change under the cookie. */
export async function changing() {
	if (!csrf) csrf = (await get("/api/login")).csrf;
	return { "X-CSRF-Token": csrf };
}

async function read(answer) {
	const type = answer.headers.get("Content-Type") ?? "";
	if (answer.status === 204) return null;
	return type.startsWith("application/json") ? answer.json().catch(() => null) : answer.text();
}

async function ask(path, options) {
	let answer;
	try {
		answer = await fetch(path, { ...options, headers: { Accept: "application/json", ...options.headers } });
	} catch {
		throw new Problem(0);
	}
	setTime(Date.parse(answer.headers.get("Date")));
	const body = await read(answer);
	if (answer.status === 401 && csrf) dispatchEvent(new Event("ended"));
	if (!answer.ok) throw new Problem(answer.status, body && typeof body === "object" ? body : null);
	return body;
}

/** Read. A page that was left may abort by `signal`. */
export function get(path, signal) {
	return ask(path, { signal });
}

/** Change something: `data` is a flat object. */
export async function post(path, data = {}) {
	const headers = path === "/api/login" || path === "/api/register" ? {} : await changing();
	return ask(path, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(data) });
}

/** Remove something; some removals want the password along. */
export async function remove(path, data) {
	const body = data && { body: JSON.stringify(data) };
	return ask(path, { method: "DELETE", headers: { ...await changing(), ...(data && { "Content-Type": "application/json" }) }, ...body });
}

/** An address with a query of what is there: empty values are left out. */
export function address(path, query) {
	const pairs = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
	return pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path;
}
