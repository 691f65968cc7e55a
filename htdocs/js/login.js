/* login: name and password in, and back to where the person came from. */
import { byId } from "./dom.js";
import { sends } from "./form.js";
import { enter, farm, next } from "./session.js";
import "./shell.js";

sends(byId("login"), async (given) => {
	await enter("/api/login", given);
	location.assign(next());
});

farm().then((status) => {
	byId("closed").hidden = status.registration !== "closed";
	byId("open").hidden = status.registration === "closed";
}, () => {});
