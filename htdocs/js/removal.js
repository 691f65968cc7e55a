/* removal: deleting a project asks for its title (its number when it has none) and says what is lost. */
import { remove } from "./api.js";
import { ask } from "./dialog.js";
import { bytes, many } from "./format.js";

function lost(p) {
	if (p.state === "finished") return ["The result, the raw frames and the scene are removed from the farm. Download first what you want to keep."];
	if (p.tasks_done === 0) return ["It has not rendered anything yet. The uploaded scene is removed from the farm."];
	const noun = p.rows * p.columns > 1 ? "tile" : "frame";
	return [`It is not finished: ${many(p.tasks_done, noun)} of ${p.tasks_total} are rendered, and all of that work is lost, with the uploaded scene.`];
}

/** Ask and delete; true when it is gone. */
export function askRemoval(p) {
	const name = p.title.trim() || String(p.id);
	return ask({
		title: `Delete “${name}”?`,
		text: [...lost(p), `This frees ${bytes(p.size ?? p.archive_size)} and can't be undone.`],
		fields: [{ name: "typed", label: `Type the project's ${p.title.trim() ? "title" : "number"} to confirm`, match: name, autocomplete: "off", hint: name }],
		action: "Delete",
		danger: true,
		work: () => remove(`/api/projects/${p.id}`).then(() => true),
	});
}
