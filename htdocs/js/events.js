/* events: says when something on the farm changed. One question for the whole page every few seconds, later and later while nobody answers,
 * none while nobody looks. Pages know only `watch`; that a push could bring the news instead is this file's own affair.
 *
 *   watch({ changed(events), tick(), project })
 *     changed   these events came (none, when something was lent: that has no event); null: what the page shows may be old as a whole (a reset, or a connection that was lost): load it again
 *     tick      every few seconds while the farm answers: for what moves without an event (bars, clocks)
 *     project   only this project's events
 */
import { address, get } from "./api.js";

const CALM_MS = 3000, MOST_MS = 60000, TICK_MS = 6000;
let watcher, after = null, lent = 0, failures = 0, timer = 0, busy = false, ticked = 0, state = () => {};

/** Who shows whether the farm is heard: `show(null)`, or `show(ms)` until the next try. */
export function connection(show) {
	state = show;
}

/** Watch; one watcher a page. `feed: false`: a visitor, who has no feed, is told to look again now and then. */
export function watch(listener) {
	watcher = listener;
	document.addEventListener("visibilitychange", () => document.hidden ? clearTimeout(timer) : now());
	addEventListener("online", now);
	now();
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
	if (Date.now() - ticked >= TICK_MS) {
		ticked = Date.now();
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
	} catch (problem) {
		if (!("status" in problem)) throw problem;
		wait = Math.min(MOST_MS, CALM_MS * 2 ** failures++);
		state(wait, problem);
	} finally {
		busy = false;
		if (!document.hidden) timer = setTimeout(now, wait);
	}
}
