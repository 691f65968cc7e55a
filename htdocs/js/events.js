/* events: says when something on the farm changed. The news come by a WebSocket (/events); where none can be had, by one question for the whole
 * page every few seconds, later and later while nobody answers. Nothing while nobody looks. Pages know only `watch`.
 *
 *   watch({ changed(events), tick(), project })
 *     changed   these events came (none, when something was lent: that has no event); null: all may be old (a reset, a lost connection): load it again
 *     tick      every few seconds while the farm answers, for bars and clocks
 *     project   only this project's events
 */
import { address, get } from "./api.js";

const CALM_MS = 3000, MOST_MS = 60000, TICK_MS = 6000, AGAIN_MS = 30000;
let watcher, after = null, lent = 0, failures = 0, timer = 0, busy = false, ticked = 0, state = () => {};
let socket = null, tried = -Infinity;

/** Who shows whether the farm is heard: `show(null)`, or `show(ms)` until the next try. */
export function connection(show) {
	state = show;
}

/** Watch; one watcher a page. `feed: false`: a visitor, who has no feed, is told to look again now and then. */
export function watch(listener) {
	watcher = listener;
	document.addEventListener("visibilitychange", () => document.hidden ? rest() : now());
	addEventListener("online", now);
	addEventListener("offline", mute);
	addEventListener("ended", mute);
	now();
}

/* A connection that the network or the login left behind would be silent for long: ask, and say so when nobody answers. */
function mute() {
	const dead = socket;
	socket = null;
	dead?.close();
	now();
}

function rest() {
	clearTimeout(timer);
	socket?.close();
}

/* From the question that was just answered on, the news come by themselves; until the connection ends, then questions take over. */
function listen() {
	if (socket || watcher.feed === false || document.hidden || performance.now() - tried < AGAIN_MS) return;
	tried = performance.now();
	const place = new URL(address("/events", { after, project: watcher.project }), location);
	place.protocol = place.protocol.replace("http", "ws");
	const mine = new WebSocket(place);
	let ticks = 0;
	mine.onopen = () => {
		socket = mine;
		clearTimeout(timer);
		ticks = setInterval(() => watcher.tick?.(), TICK_MS);
	};
	mine.onmessage = ({ data }) => {
		const answer = JSON.parse(data);
		tell(answer);
		({ last: after, lent } = answer);
	};
	mine.onclose = () => {
		clearInterval(ticks);
		if (socket !== mine) return;
		socket = null;
		if (!document.hidden) timer = setTimeout(now, CALM_MS);
	};
}

/** Ask now. */
export function now() {
	clearTimeout(timer);
	if (watcher && !busy && !document.hidden) round();
}

async function question() {
	if (watcher.feed === false) return { events: [], last: 0, lent: 0 };
	return get(address("/api/events", { after, project: watcher.project }));
}

function tell(answer, again) {
	if (answer.reset || again) watcher.changed?.(null);
	else if (answer.events.length || answer.lent !== lent) watcher.changed?.(answer.events);
	if (performance.now() - ticked >= TICK_MS) {
		ticked = performance.now();
		watcher.tick?.();
	}
}

async function round() {
	busy = true;
	let wait = CALM_MS;
	try {
		const answer = await question();
		const again = failures > 0;
		failures = 0;
		state(null);
		if (after !== null) tell(answer, again);
		after = answer.last;
		lent = answer.lent;
		listen();
	} catch (problem) {
		if (!("status" in problem)) throw problem;
		wait = Math.min(MOST_MS, CALM_MS * 2 ** failures++);
		state(wait, problem);
	} finally {
		busy = false;
		if (!document.hidden && !socket) timer = setTimeout(now, wait);
	}
}
