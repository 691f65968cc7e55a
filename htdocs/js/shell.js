/* shell: what every page has around it: the bar on top, the line that says when the farm can't be heard, and the place where
 * what was just done is said. */
import { connection, now, watch } from "./events.js";
import { byId, el, gate } from "./dom.js";
import { duration } from "./format.js";
import { farm, guess, may, toLogin, who } from "./session.js";

const SAID_MS = 6000;
const said = el("div", { class: "said", role: "status", "aria-live": "polite" });
const broken = el("div", { class: "broken", role: "alert", hidden: true });

/** Every page there is to go to, and who sees it in the bar. */
const PLACES = [
	{ href: "/", text: "Projects", for: (me) => me },
	{ href: "/upload", text: "Upload", for: (me) => may(me, "submitter") },
	{ href: "/batches", text: "Batches", for: (me) => may(me, "submitter") },
	{ href: "/runs", text: "Runs", for: (me) => me && localStorage.getItem("farmgate.runs") },
	{ href: "/workers", text: "Workers", for: (me) => me },
	{ href: "/status", text: "Status", for: (me) => me },
	{ href: "/people", text: "People", for: (me) => may(me) },
	{ href: "/settings", text: "Settings", for: (me) => may(me) },
	{ href: "/join", text: "Lend a machine", for: () => true, right: true },
	{ href: "/account", text: (me) => me.name, for: (me) => me, label: (me) => `Account of ${me.name}` },
	{ href: "/login", text: "Log in", for: (me) => !me },
];

function here(href) {
	const path = location.pathname.replace(/(index)?\.html$/, "").replace(/^\/$/, "") || "/";
	return path === href || (href === "/" && path === "/project") || (href === "/workers" && path === "/worker");
}

function link(place, me) {
	const text = typeof place.text === "function" ? place.text(me) : place.text;
	return el("a", { href: place.href, class: place.right ? "right" : null, "aria-current": here(place.href) ? "page" : null, "aria-label": place.label?.(me) }, text);
}

function menu(nav) {
	const button = el("button", { class: "menu-button quiet", type: "button", "aria-expanded": "false", "aria-controls": "ways" }, "Menu");
	button.addEventListener("click", () => {
		const open = nav.classList.toggle("open");
		button.setAttribute("aria-expanded", String(open));
	});
	return button;
}

function paint(nav, me) {
	nav.replaceChildren(...PLACES.filter((place) => place.for(me)).map((place) => link(place, me)));
}

/* The farm's own name, remembered so that the bar doesn't change under the eye. */
async function farmName(brand) {
	const status = await farm().catch(() => null);
	if (!status?.farm) return;
	brand.textContent = status.farm;
	localStorage.setItem("farmgate.farm", status.farm);
	localStorage.setItem("farmgate.runs", status.launcher ? "1" : "");
}

function lost(wait, problem) {
	broken.hidden = wait === null;
	if (wait === null || broken.dataset.wait === String(wait)) return;
	broken.dataset.wait = wait;
	const ended = problem.status === 401, why = `${ended ? "Your login has ended" : "The connection to the farm is lost"}; what you see may be old.`;
	broken.replaceChildren(ended ? why : `${why} Next try in ${duration(wait)}.`, el("button", { type: "button", onclick: ended ? toLogin : now }, ended ? "Log in" : "Try now"));
}

/** Say what was done. It goes away by itself. */
export function say(text) {
	const line = el("p", {}, text);
	said.append(line);
	setTimeout(() => line.remove(), SAID_MS);
}

/** Put a problem where people look for it: an element with the class `wrong`. */
export function wrong(node, problem) {
	node.textContent = problem ? problem.message : "";
	node.hidden = !problem;
}

/** The same for the page as a whole; nothing (null) takes it away. */
export function fail(problem) {
	wrong(byId("error"), problem);
}

/** Where it stands beside nothing: as what was done. */
export function sayWhy(problem) {
	say(problem.message);
}

/** Load now and again every few seconds, and (`live`) when the feed has news; say what is wrong. */
export function keep(load, live) {
	const again = () => load().then(() => fail(null), fail);
	watch({ changed: live ? again : null, tick: again });
	return again();
}

function build() {
	const name = el("span", {}, localStorage.getItem("farmgate.farm") ?? "Farmgate");
	const nav = el("nav", { id: "ways", "aria-label": "Main" });
	const top = byId("top");
	top.className = "bar-top";
	top.append(el("div", {}, el("a", { class: "brand", href: "/" }, gate(), name), menu(nav), nav));
	document.body.prepend(el("a", { class: "skip", href: "#main" }, "Skip to the content"));
	top.after(broken);
	document.body.append(el("footer", { class: "foot" }, "Farmgate is free software under the MIT licence."), said);
	paint(nav, guess);
	who().then((me) => farmName(name).finally(() => paint(nav, me))).catch(() => {});
	connection(lost);
}

build();
