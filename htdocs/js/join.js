/* join: the steps to lend a machine, with this farm's address, one's name and, once made, one's key in the command lines. */
import { get, post } from "./api.js";
import { copyable } from "./dialog.js";
import { byId, el, setText } from "./dom.js";
import { clicks } from "./form.js";
import { farm, may, who } from "./session.js";
import { fail } from "./shell.js";

let server = location.origin, name = "NAME", key = "", own = false;

function box(id, text) {
	byId(id).replaceChildren(copyable(text));
}

function commands() {
	const secret = key || "KEY";
	if (own) box("trust-command", `curl --insecure --output farm-ca.pem ${server}/ca.pem\nkeytool -importcert -noprompt -alias farm -file farm-ca.pem -keystore farm.jks -storepass farmgate   # only for the stock client`);
	byId("trust").hidden = !own;
	box("own-command", `(umask 077; echo '${secret}' > farm.key)\nfarmgate-worker --server ${server} --login ${name} --key-file farm.key${own ? " --ca-file farm-ca.pem" : ""}`);
	box("stock-command", `java ${own ? "-Djavax.net.ssl.trustStore=farm.jks " : ""}-jar client.jar -server ${server} -login ${name} -password ${secret} -ui text`);
}

function choose() {
	const kind = document.querySelector("[name=kind]:checked").value;
	for (const each of ["own", "stock"])
		for (const node of document.querySelectorAll(`.${each}`)) node.hidden = each !== kind;
}

function account(me, registration) {
	const line = byId("step-account");
	if (me && may(me, "worker")) return setText(line, `You are logged in as ${me.name}, and may lend machines.`);
	if (me) return setText(line, `You are logged in as ${me.name}, without the role worker. Ask the farm's admin for it.`);
	const way = registration === "open" ? [el("a", { href: "/register" }, "Register"), ": on this farm anybody may lend machines."]
		: registration === "invitation" ? [el("a", { href: "/register" }, "Register"), " with an invitation from the farm's admin."] : ["The farm's admin makes it for you."];
	return line.replaceChildren(...way, " You have one? ", el("a", { href: "/login?next=%2Fjoin" }, "Log in"), ", and the lines below carry your name.");
}

async function make() {
	const taken = new Set((await get("/api/tokens")).tokens.map((each) => each.name));
	let label = "machine";
	for (let i = 2; taken.has(label); i++) label = `machine ${i}`;
	key = (await post("/api/tokens", { kind: "key", name: label })).secret;
	setText(byId("step-key"), `Here is the key “${label}”, and it stands in the lines below. It is shown this once; your account's page revokes it.`);
	byId("key-buttons").replaceChildren(copyable(key, "secret"));
	commands();
}

async function start() {
	commands();
	choose();
	for (const radio of document.querySelectorAll("[name=kind]")) radio.addEventListener("change", choose);
	const [me, status] = await Promise.all([who(), farm().catch(() => null)]);
	server = (status?.public_url || server).replace(/\/$/, "");
	own = Boolean(status?.ca) && server.startsWith("https:");
	name = me?.name ?? name;
	account(me, status?.registration ?? "closed");
	byId("key-buttons").hidden = !may(me, "worker");
	clicks(byId("make"), make, fail);
	commands();
}

start().catch(fail);
