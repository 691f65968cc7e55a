/* projects: fills the front page's list from /api/projects, as far as the visitor may see it. The page says all it must without this. */
const here = document.getElementById("here");
here.textContent = location.origin;

function line(project) {
	const item = document.createElement("li");
	const title = document.createElement("strong");
	const count = document.createElement("span");
	const bar = document.createElement("progress");
	title.textContent = project.title;
	count.textContent = `${project.frames_done} of ${project.frames_total} frames, ${project.state}`;
	bar.max = project.tasks_total || 1;
	bar.value = project.tasks_done;
	bar.setAttribute("aria-label", `Progress of ${project.title}`);
	item.append(title, count, bar);
	return item;
}

async function show() {
	const answer = await fetch("/api/projects", { headers: { Accept: "application/json" } });
	if (!answer.ok) return;
	const { projects } = await answer.json();
	if (!Array.isArray(projects) || projects.length === 0) return;
	const section = document.getElementById("projects");
	section.querySelector("ul").replaceChildren(...projects.map(line));
	section.hidden = false;
}

show().catch(() => {});
