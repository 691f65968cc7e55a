/* project_row: one project in the list of the home page. */
import { post } from "./api.js";
import { el, gate, setLink, setText } from "./dom.js";
import { clicks } from "./form.js";
import { ago, bytes } from "./format.js";
import { askRemoval } from "./removal.js";
import { say, sayWhy } from "./shell.js";
import { chip, composeFailed, counts, meter, setChip, setProjectMeter } from "./state.js";

function setPicture(box, p) {
	const src = p.thumbnail ? `${p.thumbnail}?v=${p.frames_done > 0 ? p.frame_start : "cover"}` : "";
	if (box.dataset.src === src && box.firstChild) return;
	box.dataset.src = src;
	box.replaceChildren(src ? el("img", { src, alt: "", loading: "lazy", width: 320, height: 180 }) : gate());
}

function again(node, changed) {
	const button = el("button", { type: "button", class: "little again" });
	return clicks(button, async () => {
		const p = node.project, action = composeFailed(p) ? "recomposite" : "retry";
		await post(`/api/projects/${p.id}/${action}`);
		say(action === "retry" ? "It is rendered again where it failed." : "It is put together again.");
		changed();
	}, sayWhy);
}

function removal(node, changed) {
	return el("button", { type: "button", class: "little quiet remove", onclick: async () => {
		if (!await askRemoval(node.project)) return;
		say("The project is deleted.");
		changed();
	} }, "Delete");
}

/** An empty row; `changed` is called when the person changed something. */
export function makeRow(changed) {
	const node = el("li", { class: "card project" });
	const link = el("a");
	node.parts = {
		link, chip: chip(), picture: el("a", { class: "picture", tabindex: "-1", "aria-hidden": "true" }), about: el("p", { class: "soft small" }),
		meter: meter(""), counts: el("span", { class: "soft small numbers" }), message: el("p", { class: "message small" }),
		result: el("a", { class: "button little" }, "Finished Result"), raw: el("a", { class: "button little", download: "" }, "Raw Frames"),
		again: again(node, changed), remove: removal(node, changed),
	};
	const part = node.parts;
	node.append(part.picture, el("div", {},
		el("div", { class: "line" }, el("h2", {}, link), part.chip), part.about, part.meter,
		el("div", { class: "line" }, part.counts, el("div", { class: "actions" }, part.again, part.result, part.raw, part.remove)), part.message));
	return node;
}

/** Bring a row up to date. */
export function fillRow(node, p) {
	const part = node.parts, name = p.title || `Project ${p.id}`;
	node.project = p;
	node.className = `card project ${p.state}`;
	setText(part.link, name);
	part.link.href = part.picture.href = `/project?id=${p.id}`;
	setPicture(part.picture, p);
	setChip(part.chip, p.state);
	setText(part.about, `${p.owner} · ${ago(p.created_ms)} · ${bytes(p.size ?? p.archive_size)}`);
	part.meter.setAttribute("aria-label", `Progress of ${name}`);
	part.meter.hidden = p.state === "finished";
	setProjectMeter(part.meter, p);
	setText(part.counts, counts(p));
	setLink(part.result, p.result);
	setLink(part.raw, p.raw);
	part.result.setAttribute("aria-label", `Finished Result of ${name}`);
	part.raw.setAttribute("aria-label", `Raw Frames of ${name}`);
	setText(part.message, p.state === "failed" ? p.message : "");
	part.message.hidden = !part.message.textContent;
	part.again.hidden = !(p.state === "failed" && p.may_change !== false);
	setText(part.again, composeFailed(p) ? "Recomposite" : "Try again");
	part.again.setAttribute("aria-label", `${part.again.textContent}: ${name}`);
	part.remove.hidden = p.may_change === false;
	part.remove.setAttribute("aria-label", `Delete ${name}`);
}
