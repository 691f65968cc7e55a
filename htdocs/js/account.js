/* account: one's own: points and quotas, worker keys, API tokens, the password, the way out. */
import { get, post, remove } from "./api.js";
import { ask, secret } from "./dialog.js";
import { byId, el, setText } from "./dom.js";
import { check, clicks } from "./form.js";
import { ago, bytes, day, many, outOf, points } from "./format.js";
import { leave, may, needed } from "./session.js";
import { fail, keep, say } from "./shell.js";
import { fillFacts, fillTable } from "./table.js";

const SCOPES = [["read", "Look at projects, results, events and workers"], ["submit", "Upload scenes; create and change own projects"], ["batch", "Send batches"], ["relay", "Show my farm at home here"], ["admin", "All that I may do"]];
let me, account;

function usedAgo(row) {
	return row.last_used_ms ? ago(row.last_used_ms) : "never";
}

function revoke(row) {
	return el("button", { type: "button", class: "little danger", "aria-label": `Revoke ${row.name}`, onclick: () => ask({
		title: `Revoke “${row.name}”?`, text: [row.kind === "key" ? "Machines that use this key are logged out; what they are rendering is lent to others." : "Whatever uses this token is refused from now on."],
		action: "Revoke", danger: true, work: async () => {
			await remove(`/api/tokens/${row.id}`);
			say("It is revoked.");
			await load();
		},
	}) }, "Revoke");
}

async function load() {
	const [mine, { tokens }] = await Promise.all([get("/api/users/me"), get("/api/tokens")]);
	account = mine;
	fillFacts(byId("facts"), [
		["Points", `${points(mine.points)}. One point is one minute of one core of accepted rendering.`],
		["Storage", outOf(bytes(mine.used_bytes), mine.quota_bytes && bytes(mine.quota_bytes))], ["Tasks rendering", outOf(mine.running, mine.quota_running)],
		["Projects", String(mine.projects)], ["Machines", String(mine.workers)], ["Member since", day(mine.created_ms)]]);
	const keys = tokens.filter((row) => row.kind === "key"), rest = tokens.filter((row) => row.kind !== "key");
	fillTable(byId("keys"), keys, (row) => row.id, (row) => [row.name, day(row.created_ms), usedAgo(row), revoke(row)]);
	fillTable(byId("tokens"), rest, (row) => row.id, (row) => [row.name, row.scope || "read submit", day(row.created_ms), usedAgo(row), revoke(row)]);
	for (const [name, rows] of [["keys", keys], ["tokens", rest]]) {
		byId(`no-${name}`).hidden = rows.length > 0;
		byId(name).closest(".table").hidden = rows.length === 0;
	}
	byId("all").hidden = false;
}

async function made(data, title, text) {
	const row = await post("/api/tokens", data);
	await load();
	return () => secret(title, text, row.secret);
}

async function newKey() {
	const show = await ask({
		title: "New worker key", fields: [{ name: "name", label: "Name", hint: "Such as the machine it is for.", required: true, maxlength: 64 }], action: "Make it",
		work: ({ name }) => made({ kind: "key", name }, "Your new worker key", "The machine uses it as its password. It is shown this once: copy it now."),
	});
	show?.();
}

async function newToken() {
	const scopes = SCOPES.filter(([scope]) => scope === "read" || may(me, scope === "admin" ? "admin" : "submitter"));
	const show = await ask({
		title: "New API token", fields: [{ name: "name", label: "Name", hint: "Such as the script it is for.", required: true, maxlength: 64 }],
		extra: [el("fieldset", {}, el("legend", {}, "It may"), scopes.map(([scope, words]) => check({ name: scope, checked: scope === "read" }, words)))], action: "Make it",
		work: (given) => {
			const scope = scopes.map(([each]) => each).filter((each) => given[each]).join(" ");
			if (!scope) throw new Error("Choose at least one thing that it may do.");
			return made({ kind: "token", name: given.name, scope }, "Your new API token", "Send it as “Authorization: Bearer …”. It is shown this once: copy it now.");
		},
	});
	show?.();
}

function password() {
	return ask({
		title: "Change password", action: "Change", fields: [{ name: "old", type: "password", label: "Your password now", required: true, autocomplete: "current-password" },
			{ name: "new", type: "password", label: "The new one", required: true, minlength: 8, autocomplete: "new-password", hint: "At least 8 characters; a short sentence is good." },
			{ name: "again", type: "password", label: "The new one again", required: true, autocomplete: "new-password" }],
		work: async (given) => {
			if (given.new !== given.again) throw new Error("The two new passwords differ. Type the same one twice.");
			await post("/api/users/me/password", { old: given.old, new: given.new });
			say("The password is changed.");
		},
	});
}

function removeMe() {
	return ask({
		title: "Delete your account?", danger: true, action: "Delete my account",
		text: [`${account.projects ? `${many(account.projects, "project")} with all results will be removed` : "You have no projects"}, and your worker keys and tokens revoked. It can't be undone.`],
		fields: [{ name: "name", label: "Type your name to confirm", match: me.name, hint: me.name, autocomplete: "off" }, { name: "password", type: "password", label: "Your password", required: true, autocomplete: "current-password" }],
		work: async (given) => {
			await post("/api/users/me/delete", given);
			await leave();
		},
	});
}

async function start() {
	clicks(byId("leave"), leave, fail);
	me = await needed();
	setText(byId("name"), me.name);
	setText(byId("roles"), me.roles.length ? `You are ${me.roles.map((role) => role === "admin" ? "an admin" : `a ${role}`).join(" and ")} here.` : "Your account has no role yet: ask the farm's admin.");
	byId("keys-card").hidden = !may(me, "worker");
	for (const [button, work] of Object.entries({ "new-key": newKey, "new-token": newToken, password, delete: removeMe })) byId(button).addEventListener("click", work);
	await keep(load);
}

start().catch(fail);
