/* register: an account of one's own, with an invitation or, where the farm is open, without. */
import { byId, setText } from "./dom.js";
import { sends } from "./form.js";
import { enter, farm, may } from "./session.js";
import { fail } from "./shell.js";

const SENTENCES = {
	closed: "This farm doesn't take registrations. Ask its admin for an account.",
	invitation: "You need an invitation from this farm's admin. It is a link, or a code to put in below.",
	open: "Anybody may register and lend machines. To render scenes of your own, ask the farm's admin afterwards.",
};

function shape(status) {
	setText(byId("how"), SENTENCES[status.registration] ?? "");
	const invited = new URLSearchParams(location.search).get("invitation");
	byId("register").hidden = status.registration === "closed";
	byId("invitation").value = invited ?? "";
	byId("invited").hidden = status.registration === "open" && !invited;
	byId("invitation").required = status.registration === "invitation";
}

sends(byId("register"), async (given) => {
	if (given.password !== given.again) throw new Error("The two passwords differ. Type the same one twice.");
	delete given.again;
	if (!given.invitation) delete given.invitation;
	const me = await enter("/api/register", given);
	location.assign(may(me, "submitter") ? "/" : "/join");
});

farm().then(shape, fail);
