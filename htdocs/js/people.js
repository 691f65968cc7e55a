/* people: for admins: who has an account, with which roles and quotas; invitations; what admins did. */
import { address, get, post, remove } from "./api.js";
import { ask, secret } from "./dialog.js";
import { byId, el, setText } from "./dom.js";
import { check } from "./form.js";
import { ago, bytes, clock, day, outOf, points } from "./format.js";
import { farm, needed } from "./session.js";
import { fail, keep, say, sayWhy } from "./shell.js";
import { fillTable } from "./table.js";

const ROLES = [["submitter", "submitter: uploads scenes and has projects"], ["worker", "worker: lends machines"], ["admin", "admin: may everything"]];
const GB = 1e9, PASSWORD = { name: "password", type: "password", minlength: 8, autocomplete: "new-password" };
let before = "";

function roleBoxes(chosen) {
	return el("fieldset", {}, el("legend", {}, "Roles"), ROLES.map(([role, words]) => check({ name: role, checked: chosen.includes(role) }, words)));
}

function rolesOf(given) {
	return ROLES.map(([role]) => role).filter((role) => given[role]).join(",");
}

function small(words, label, onclick) {
	return el("button", { type: "button", class: "little", "aria-label": label, onclick }, words);
}

async function change(user, given) {
	const data = { roles: rolesOf(given), disabled: given.disabled ? 1 : 0, quota_bytes: Math.round(Number(given.storage) * GB), quota_running: Number(given.running) };
	if (given.password) data.password = given.password;
	await post(`/api/users/${user.id}`, data);
	say(`${user.name} is changed.`);
	await load();
}

function edit(user) {
	const away = el("button", { type: "button", class: "danger", onclick: () => askAway(user) }, "Delete this account…");
	return ask({
		title: user.name, extra: [roleBoxes(user.roles), check({ name: "disabled", checked: user.disabled }, "Disabled: can't log in, and its machines get nothing"), el("p", {}, away)],
		fields: [{ name: "storage", type: "number", label: "Most storage, GB", min: 0, step: "any", value: user.quota_bytes / GB, hint: "0: no limit" },
			{ name: "running", type: "number", label: "Most tasks rendering at a time", min: 0, value: user.quota_running, hint: "0: no limit" }, { ...PASSWORD, label: "New password", hint: "Leave it empty to keep the old one." }],
		action: "Save", work: (given) => change(user, given),
	});
}

async function askAway(user) {
	document.querySelector("dialog").close();
	await ask({
		title: `Delete ${user.name}?`, text: [`The account, its ${user.projects} projects, keys and tokens are removed. It can't be undone.`], danger: true, action: "Delete",
		fields: [{ name: "name", label: "Type the account's name to confirm", match: user.name, hint: user.name, autocomplete: "off" }],
		work: async () => {
			await remove(`/api/users/${user.id}`);
			say(`${user.name} is deleted.`);
			await load();
		},
	});
}

function add() {
	return ask({
		title: "Make an account", fields: [{ name: "name", label: "Name", required: true, autocapitalize: "none" }, { ...PASSWORD, label: "Password", required: true, hint: "At least 8 characters. They can change it." }],
		extra: [roleBoxes(["submitter", "worker"])], action: "Make it",
		work: async (given) => {
			await post("/api/users", { name: given.name, password: given.password, roles: rolesOf(given) });
			say(`${given.name} can log in now.`);
			await load();
		},
	});
}

async function invite() {
	const made = await ask({
		title: "Invite somebody", fields: [{ name: "note", label: "For whom", hint: "Only you see it.", maxlength: 200 }, { name: "days", type: "number", label: "Valid for days", min: 1, max: 365, value: 14, required: true }],
		extra: [roleBoxes(["submitter", "worker"])], action: "Make the link",
		work: async (given) => {
			const { link } = await post("/api/users/invitations", { note: given.note, days: given.days, roles: rolesOf(given) });
			await load();
			return link;
		},
	});
	if (made) await secret("The invitation", "Whoever opens this link first makes an account of their own. It is shown this once.", made);
}

async function takeBack(row) {
	await remove(`/api/users/invitations/${row.id}`);
	say("The invitation is taken back.");
	await load();
}

async function audits() {
	const answer = await get(address("/api/audits", { before }));
	fillTable(byId("audits"), answer.audits, (row) => row.id, (row) => [clock(row.at_ms), row.name || "at the host", row.action, el("span", { class: "small" }, row.detail)]);
	byId("no-audits").hidden = answer.audits.length > 0;
	byId("older").hidden = !answer.next;
	byId("older").value = answer.next ?? "";
	byId("newest").hidden = !before;
}

async function load() {
	const [{ users }, { invitations }] = await Promise.all([get("/api/users"), get("/api/users/invitations"), audits()]);
	fillTable(byId("people"), users, (user) => user.id, (user) => [user.name, user.disabled ? "disabled" : user.roles.join(", ") || "none",
		outOf(bytes(user.used_bytes), user.quota_bytes && bytes(user.quota_bytes)), outOf(user.running, user.quota_running), String(user.projects), String(user.workers), points(user.points),
		user.seen_ms ? ago(user.seen_ms) : "never", small("Change…", `Change ${user.name}`, () => edit(user))]);
	fillTable(byId("invitations"), invitations, (row) => row.id, (row) => [row.note || "somebody", row.roles.join(", "), row.host, day(row.expires_ms), row.guest ?? "–",
		row.guest ? "" : small("Take back", `Take back the invitation for ${row.note || "somebody"}`, () => takeBack(row).catch(sayWhy))]);
	byId("no-invitations").hidden = invitations.length > 0;
	byId("invitations").closest(".table").hidden = invitations.length === 0;
}

function turn(to) {
	before = to;
	audits().catch(fail);
}

async function start() {
	byId("add").addEventListener("click", add);
	byId("invite").addEventListener("click", invite);
	byId("older").addEventListener("click", (event) => turn(event.target.value));
	byId("newest").addEventListener("click", () => turn(""));
	await needed("admin");
	await keep(load);
	const { registration } = await farm().catch(() => ({}));
	setText(byId("how"), registration === "closed" ? "Registration is closed: an invitation works only once an admin opens it to invitations, under Settings." : "Whoever has the link makes an account with these roles.");
}

start().catch(fail);
