/* advice: what may not come out as wanted, said in plain words before anything is rendered. Pure: a scene and what was chosen in, sentences out. */
import { many } from "./format.js";

const CACHE = /(\.(abc|usd[acz]?|vdb|bphys|bobj\.gz|uni)$)|blendcache|cache_|\/$/i;
const NAMED = 5;

function absolute(path) {
	return !path.startsWith("//");
}

function list(paths) {
	const shown = paths.slice(0, NAMED).join(", ");
	return paths.length > NAMED ? `${shown} and ${many(paths.length - NAMED, "more file").replace("more files", "more")}` : shown;
}

function missing(paths) {
	const caches = paths.filter((path) => CACHE.test(path));
	const others = paths.filter((path) => !CACHE.test(path));
	const far = others.filter(absolute), near = others.filter((path) => !absolute(path));
	const out = [];
	if (near.length) out.push(`The scene uses files that are not in the upload: ${list(near)}. They will be missing in the picture. Upload a .zip of the whole folder, or pack them in Blender (File, External Data, Pack Resources).`);
	if (far.length) out.push(`The scene names files by where they lie on one computer: ${list(far)}. No worker has them. In Blender: File, External Data, Make All Paths Relative, then zip the folder; or pack them.`);
	if (caches.length) out.push(`Simulation caches are not in the upload: ${list(caches)}. Bake them to files beside the .blend and zip the folder, or every frame shows the simulation's start.`);
	return out;
}

/** Sentences about this scene with these choices. `denoisers` tells whether some renderer of the farm has a denoiser (null: unknown). */
export function advice(report, scene, { tiles, noDenoise, engine }, denoisers) {
	const out = missing(report.missing ?? []);
	const cycles = (engine || scene.engine) === "CYCLES";
	if (scene.denoise && cycles && !noDenoise && denoisers === false)
		out.push("The scene is denoised, and no renderer of this farm has a denoiser. Switch denoising off below, or ask the admin to add an official Blender.");
	if (scene.denoise && cycles && !noDenoise && tiles > 1 && denoisers !== false)
		out.push("The scene is denoised in tiles: keep an overscan of 32 pixels or more, or seams may show.");
	if (tiles > 1 && scene.compositing) out.push("Compositing nodes work on each tile alone: blur, glare and the like will show seams. Render without tiles (1 × 1) if the scene needs them.");
	if (tiles > 1 && scene.sequencer) out.push("The sequencer's strips are rendered whole into each tile. Render without tiles (1 × 1), or switch Sequencer off in Blender's output settings.");
	return out;
}
