/* dialog: questions that stop everything else. The browser's own <dialog> keeps focus and Escape right. */
import { el } from "./dom.js";
import { field, sends } from "./form.js";

let count = 0;

function open(box, title) {
	const heading = el("h2", { id: `dialog-${++count}` }, title);
	box.setAttribute("aria-labelledby", heading.id);
	box.prepend(heading);
	document.body.append(box);
	box.addEventListener("close", () => box.remove());
	box.showModal();
	return box;
}

function control({ name, type = "text", options, ...rest }) {
	const { label, hint, match, ...attributes } = rest;
	const input = options ?? el("input", { name, type, ...attributes });
	return field(label, input, hint);
}

/* As it looks: blanks in a row are one, letters are composed or not, and what can't be seen can't be typed. */
function plain(text) {
	return text.normalize("NFKC").replace(/\p{Cf}/gu, "").replace(/\s+/g, " ").trim();
}

function mismatch(fields, given) {
	const bad = fields.find(({ name, match }) => match !== undefined && plain(given[name]) !== plain(match));
	return bad && new Error(`Nothing was done: “${given[bad.name]}” is not “${bad.match}”. Type it exactly as it stands.`);
}

/** Ask. `text` is a list of paragraphs; `fields` as `control` takes them, `match` is what must be typed; `work(values)` runs while the dialog is
 * open and its Problem is shown in it. Resolves to what `work` gave, or null when the person changed their mind. */
export function ask({ title, text = [], fields = [], extra = [], action, danger = false, work = async () => true }) {
	return new Promise((resolve) => {
		let result = null;
		const cancel = el("button", { type: "button", onclick: () => box.close() }, "Cancel");
		const go = el("button", { class: danger ? "primary danger" : "primary" }, action);
		const form = el("form", {}, text.map((words) => el("p", {}, words)), fields.map(control), extra, el("div", { class: "buttons" }, cancel, go));
		const box = el("dialog", {}, form);
		sends(form, async (given) => {
			const bad = mismatch(fields, given);
			if (bad) throw bad;
			result = await work(given) ?? true;
			box.close();
		});
		box.addEventListener("close", () => resolve(result));
		open(box, title);
	});
}

/** Show something until it is closed. */
export function show(title, ...content) {
	const close = el("button", { type: "button", class: "primary", onclick: () => box.close() }, "Close");
	const box = el("dialog", { class: "wide" }, ...content, el("div", { class: "buttons" }, close));
	return open(box, title);
}

/** Show a secret: it is seen this once. */
export function secret(title, text, value) {
	return new Promise((resolve) => {
		const box = show(title, el("p", {}, text), copyable(value, "secret"));
		box.classList.remove("wide");
		box.addEventListener("close", resolve);
	});
}

/** Text in a box with a button that copies it. */
export function copyable(text, className = "") {
	const pre = el("pre", { tabindex: "0", class: className }, text);
	const button = el("button", { type: "button", class: "little" }, "Copy");
	button.addEventListener("click", async () => {
		try {
			await navigator.clipboard.writeText(pre.textContent);
			button.textContent = "Copied";
		} catch { /* no clipboard without TLS: select it, so that Ctrl+C does */
			getSelection().selectAllChildren(pre);
			button.textContent = "Press Ctrl+C";
		}
		setTimeout(() => { button.textContent = "Copy"; }, 3000);
	});
	return el("div", { class: "copy" }, pre, button);
}
