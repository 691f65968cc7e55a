/* format: numbers as people read them. Pure: what goes in decides what comes out; `now` is a parameter where time matters. */
let ahead = 0;

const UNITS = ["bytes", "KB", "MB", "GB", "TB", "PB"];

/** 1 536 → "1.5 KB". Decimal, as disks are sold. */
export function bytes(number) {
	let unit = 0, value = number;
	while (value >= 1000 && unit < UNITS.length - 1) {
		value /= 1000;
		unit++;
	}
	return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Milliseconds as the two largest units that matter: "3 min 20 s", "2 h 5 min", "4 days". */
export function duration(ms) {
	const s = Math.max(0, Math.round(ms / 1000));
	if (s < 60) return `${s} s`;
	if (s < 600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
	if (s < 3600) return `${Math.round(s / 60)} min`;
	const minutes = Math.round(s / 60), hours = Math.floor(minutes / 60);
	if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
	return `${Math.round(hours / 24)} days`;
}

/** The farm's clock; the visitor's own may be hours off. */
export function farmTime() {
	return Date.now() + ahead;
}

/** An answer says what time it is. */
export function setTime(date) {
	ahead = date ? date - Date.now() : ahead;
}

/** "just now", "5 minutes ago", "3 days ago". */
export function ago(ms, now = farmTime()) {
	const s = Math.max(0, (now - ms) / 1000);
	for (const [size, name] of [[86400, "day"], [3600, "hour"], [60, "minute"]])
		if (s >= size) return `${many(Math.floor(s / size), name)} ago`;
	return "just now";
}

const whole = new Intl.NumberFormat("en");
const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayFormat = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

/** 12345 → "12,345". */
export function number(value) {
	return whole.format(value);
}

/** "1 tile", "12,345 tiles". */
export function many(value, noun) {
	return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Hours and minutes here where the viewer is; with the day when it is another one. */
export function clock(ms, now = farmTime()) {
	const time = clockFormat.format(ms);
	return new Date(ms).toDateString() === new Date(now).toDateString() ? time : `${dayFormat.format(ms)}, ${time}`;
}

/** The day alone. */
export function day(ms) {
	return dayFormat.format(ms);
}

/** Points come as thousandths. */
export function points(thousandths) {
	return number(Math.round(thousandths / 100) / 10);
}

/** "3 of 5"; a quota of 0 is none. */
export function outOf(used, quota) {
	return quota ? `${used} of ${quota}` : String(used);
}

/** KiB of memory. */
export function memory(kib) {
	return bytes(kib * 1024);
}
