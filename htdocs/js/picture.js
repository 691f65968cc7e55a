/* picture: one frame, as far as it is there. Tiles appear in their places as they land; those on their way show by colour what they do.
 * Drawn on a canvas: 4096 tiles cost as little as four. What it shows is said in words too, on the canvas itself. */
import { many } from "./format.js";

const PICTURES_MOST = 400, AT_ONCE = 4, WIDTH_MOST = 1920, WIDTH_LEAST = 640;
const TONES = { waiting: "--line", rendering: "--rendering", failed: "--failed", done: "--finished" };

export class Picture {
	images = new Map();           /* address → image, loaded or not */
	queue = [];
	loading = 0;
	frame = null;

	/** On this canvas; `url(path)` gives an address its link token. */
	constructor(canvas, url) {
		this.canvas = canvas;
		this.url = url;
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
	}

	/** What is drawn: the project's size and grid. */
	shape(project) {
		const scale = Math.min(1, WIDTH_MOST / project.width);
		const width = Math.max(1, Math.round(project.width * scale)), height = Math.max(1, Math.round(project.height * scale));
		this.project = project;
		if (this.canvas.width === width && this.canvas.height === height) return;
		Object.assign(this.canvas, { width, height });
		this.canvas.style.aspectRatio = `${width} / ${height}`;
		this.canvas.style.width = `min(100%, ${Math.max(WIDTH_LEAST, width)}px, ${66 * width / height}vh)`;
	}

	/** Show a frame: its answer from the farm, and the address of its whole picture when there is one. */
	show(frame, whole) {
		if (this.frame?.frame !== frame.frame) {
			this.images.clear();
			this.queue = [];
		}
		this.frame = frame;
		this.whole = whole;
		if (whole) this.want(whole);
		else if (frame.tiles.length <= PICTURES_MOST)
			for (const tile of frame.tiles) if (tile.state === "done") this.want(this.address(tile));
		this.canvas.setAttribute("aria-label", this.words());
		this.draw();
	}

	address(tile) {
		return this.url(`/api/preview/${this.project.id}/${this.frame.frame}/${tile.row}/${tile.column}?lease=${tile.lease}`);
	}

	want(address) {
		if (this.images.has(address)) return;
		this.images.set(address, null);
		this.queue.push(address);
		this.next();
	}

	next() {
		while (this.loading < AT_ONCE && this.queue.length) {
			const address = this.queue.shift(), images = this.images, image = new Image();
			const end = (got) => {
				this.loading--;
				if (images === this.images && images.has(address)) images.set(address, got);
				if (got) this.soon();
				this.next();
			};
			this.loading++;
			image.addEventListener("load", () => end(image));
			image.addEventListener("error", () => end(null));
			image.src = address;
		}
	}

	soon() {
		this.planned ??= requestAnimationFrame(() => {
			this.planned = undefined;
			this.draw();
		});
	}

	words() {
		const { tiles, frame } = this.frame;
		const count = (state) => tiles.filter((tile) => tile.state === state).length;
		const parts = [`${count("done")} of ${many(tiles.length, "tile")} done`];
		if (count("rendering")) parts.push(`${count("rendering")} rendering`);
		if (count("failed")) parts.push(`${count("failed")} failed`);
		return `Frame ${frame}: ${parts.join(", ")}`;
	}

	/* Where a tile lies, in the canvas's pixels. */
	box({ row, column }) {
		const { width, height } = this.canvas, { rows, columns } = this.frame;
		const x = Math.floor(width * column / columns), y = Math.floor(height * row / rows);
		return [x, y, Math.floor(width * (column + 1) / columns) - x, Math.floor(height * (row + 1) / rows) - y];
	}

	draw() {
		if (!this.frame) return;
		const pen = this.canvas.getContext("2d"), style = getComputedStyle(document.documentElement), tones = {};
		const tone = (name) => tones[name] ??= style.getPropertyValue(name).trim();
		const whole = this.whole && this.images.get(this.whole);
		pen.fillStyle = tone("--sunk");
		pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
		if (whole) return void pen.drawImage(whole, 0, 0, this.canvas.width, this.canvas.height);
		const line = Math.max(1, this.canvas.width / 480);
		for (const tile of this.frame.tiles) this.tile(pen, tone, tile, line);
	}

	tile(pen, tone, tile, line) {
		const [x, y, w, h] = this.box(tile), image = tile.state === "done" && this.images.get(this.address(tile));
		if (image) return void pen.drawImage(image, x, y, w, h);
		const colour = tone(TONES[tile.state] ?? "--line");
		pen.fillStyle = colour;
		if (tile.state === "rendering") {
			const share = h * Math.min(1, (tile.progress ?? 0) / 1000);
			pen.globalAlpha = 0.16;
			pen.fillRect(x, y, w, h);
			pen.globalAlpha = 0.4;
			pen.fillRect(x, y + h - share, w, share);
		} else if (tile.state !== "waiting") {
			pen.globalAlpha = tile.state === "done" ? 0.3 : 0.25;
			pen.fillRect(x, y, w, h);
		}
		pen.globalAlpha = tile.state === "waiting" ? 1 : 0.9;
		pen.strokeStyle = colour;
		pen.lineWidth = line;
		pen.strokeRect(x + line / 2, y + line / 2, Math.max(0, w - line), Math.max(0, h - line));
		pen.globalAlpha = 1;
	}
}
