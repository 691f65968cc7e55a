/* form: a form that sends itself through JavaScript: busy while it works, its error where the eye is, the button back afterwards. */
import { el } from "./dom.js";
import { wrong } from "./shell.js";

/** The values of a form; boxes are true or false, empty fields empty texts. */
export function values(form) {
	const out = Object.fromEntries(new FormData(form));
	for (const box of form.querySelectorAll('input[type="checkbox"][name]')) out[box.name] = box.checked;
	return out;
}

/** Show that a button's work goes on; gives back the function that ends it. */
export function busy(button) {
	button?.setAttribute("aria-busy", "true");
	button?.setAttribute("aria-disabled", "true");
	return () => {
		button?.removeAttribute("aria-busy");
		button?.removeAttribute("aria-disabled");
	};
}

/** Do `work(values, form)` when the form is sent. Its Problem is shown in the form's `.wrong`, which is made when missing. */
export function sends(form, work) {
	const error = form.querySelector(".wrong") ?? form.insertBefore(el("p", { class: "wrong", hidden: true }), form.querySelector(".buttons"));
	error.setAttribute("role", "alert");
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (form.getAttribute("aria-busy") === "true") return;
		form.setAttribute("aria-busy", "true");
		const done = busy(event.submitter ?? form.querySelector("button:not([type=button])"));
		wrong(error, null);
		try {
			await work(values(form), form);
		} catch (problem) {
			wrong(error, problem);
		} finally {
			form.removeAttribute("aria-busy");
			done();
		}
	});
}

/** Do `work()` at a click: busy while it goes on; a Problem goes to `fail`. */
export function clicks(button, work, fail) {
	button.addEventListener("click", async () => {
		if (button.getAttribute("aria-busy") === "true") return;
		const done = busy(button);
		try {
			await work();
		} catch (problem) {
			fail(problem);
		} finally {
			done();
		}
	});
	return button;
}

let count = 0;

/** A field with its label; `input` is the control, `hint` what to know about it. */
export function field(label, input, hint) {
	input.id ||= `field-${++count}`;
	const words = hint && el("p", { class: "hint", id: `${input.id}-hint` }, hint);
	if (words) input.setAttribute("aria-describedby", words.id);
	return el("div", { class: "field" }, el("label", { htmlFor: input.id }, label), input, words);
}

/** A choice among [value, text] pairs. */
export function select(attributes, pairs, chosen) {
	return el("select", attributes, pairs.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}

/** A box with its words. */
export function check(attributes, words) {
	return el("label", { class: "check" }, el("input", { type: "checkbox", ...attributes }), el("span", {}, words));
}
