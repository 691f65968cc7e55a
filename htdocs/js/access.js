/* access: who may look at a project, and whose machines may render it. */
import { post } from "./api.js";
import { ask, copyable } from "./dialog.js";
import { el } from "./dom.js";
import { field } from "./form.js";
import { say } from "./shell.js";

const LOOKERS = [["private", "Only me and the admins"], ["link", "Whoever has the link"], ["users", "These users"], ["everyone", "Everyone with an account"]];
const RENDERERS = [["all", "All machines of the farm"], ["mine", "Only my own machines"], ["named", "Machines of these owners"]];

function radios(name, legend, pairs, chosen) {
	return el("fieldset", {}, el("legend", {}, legend), pairs.map(([value, text]) =>
		el("label", { class: "check" }, el("input", { type: "radio", name, value, checked: value === chosen }), el("span", {}, text))));
}

/** A project's address for whoever has the link. */
function linkOf(p) {
	return p.link && `${location.origin}/project?id=${p.id}&link=${encodeURIComponent(p.link.replace(/^.*link=/, ""))}`;
}

/** In one sentence. */
export function accessWords(p) {
	const look = { private: "Private", link: "By link", users: `For ${(p.viewers ?? []).join(", ") || "nobody yet"}`, everyone: "For everyone" }[p.access] ?? p.access;
	const render = p.workers === "mine" ? "own machines only" : Array.isArray(p.workers) ? `machines of ${p.workers.join(", ")}` : "all machines";
	return `${look}; rendered by ${render}`;
}

/** Ask and change; resolves to the project or null. */
export function askAccess(p) {
	const named = Array.isArray(p.workers);
	const lookers = radios("access", "Who may look at it", LOOKERS, p.access ?? "private");
	const renderers = radios("workers", "Whose machines may render it", RENDERERS, named ? "named" : p.workers ?? "all");
	lookers.append(field("Names, separated by blanks", el("input", { name: "viewers", value: (p.viewers ?? []).join(" "), autocapitalize: "none" })));
	renderers.append(field("Owners, separated by blanks", el("input", { name: "owners", value: named ? p.workers.join(" ") : "", autocapitalize: "none" })));
	const link = linkOf(p);
	return ask({
		title: "Access", action: "Save", extra: [lookers, link && el("div", {}, el("p", { class: "label" }, "The link"), copyable(link)), renderers],
		work: async (given) => {
			const workers = given.workers === "named" ? given.owners : given.workers;
			const changed = await post(`/api/projects/${p.id}/access`, { access: given.access, viewers: given.viewers, workers });
			say("Access is changed.");
			return changed;
		},
	});
}
