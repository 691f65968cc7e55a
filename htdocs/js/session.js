/* session: who looks at the page. What the browser remembers (a name and roles, nothing secret) lets the bar stand at once and spares visitors a
 * question; the farm's own answer decides. */
import { get, post, remove, setCsrf } from "./api.js";
import { byId, el } from "./dom.js";

const KEY = "farmgate.me";

function remembered() {
	try {
		return JSON.parse(localStorage.getItem(KEY));
	} catch {
		return null;
	}
}

function remember(me) {
	if (me) localStorage.setItem(KEY, JSON.stringify({ id: me.id, name: me.name, roles: me.roles }));
	else localStorage.removeItem(KEY);
	setCsrf(me?.csrf ?? "");
	return me;
}

/** Who it was last time, or null: to paint with, not to decide by. */
export const guess = remembered();

let asked, farmAsked;

/** What the farm says of itself to everybody, and more to those who are logged in. Asked once a page. */
export function farm() {
	farmAsked ??= get("/api/status");
	return farmAsked;
}

/** Who it is: {id, name, roles}, or null for a visitor. Asked once a page. */
export function who() {
	asked ??= guess ? get("/api/login").then(remember, (problem) => {
		if (problem.status !== 401) throw problem;
		return remember(null);
	}) : Promise.resolve(null);
	return asked;
}

/** Is one of these roles theirs? Admins may everything. */
export function may(me, ...roles) {
	return Boolean(me && (me.roles.includes("admin") || roles.some((role) => me.roles.includes(role))));
}

/** Through the login and back to here. */
export function toLogin() {
	location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** For pages that need somebody, maybe of a role: visitors are led to the login and come back, others read whom it is for. Never returns for them. */
export async function needed(role) {
	const me = await who();
	if (me && (!role || may(me, role))) return me;
	if (me) byId("main").replaceChildren(el("h1", {}, "Not for this account"), el("p", {}, `This page is for the role ${role}. An admin of the farm can give it to you.`));
	else toLogin();
	return new Promise(() => {});
}

/** Log in, or register (`path` /api/register). */
export async function enter(path, data) {
	return remember(await post(path, data));
}

/** Log out; a session that has ended already is as good. */
export async function leave() {
	await remove("/api/login").catch((problem) => {
		if (problem.status !== 401) throw problem;
	});
	remember(null);
	location.assign("/");
}

/** Where to go after the login: only ever a page of this farm. */
export function next() {
	const path = new URLSearchParams(location.search).get("next") ?? "/";
	return /^\/(?![/\\])/.test(path) ? path : "/";
}
