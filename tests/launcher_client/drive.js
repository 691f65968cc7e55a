/* drive: every method through the real socket.io-client and json-rpc-2.0
 * as the stock front-end joins them. node drive.js NODE_MODULES URL TRANSPORT FOLDER SOLVER; says "ok NAME" a line, "done" at the end.
 * With "ends" as TRANSPORT and a JSON list of paths outside of the folders: all the ways that runs end, and what is refused; then the lines
 * "licences N" ask for so many in use, and "restart" for another launcher. */
const [modules, url, transport, folder, solver, ways] = process.argv.slice(2);
const { io } = require(require("path").join(modules, "socket.io-client"));
const { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } = require(require("path").join(modules, "json-rpc-2.0"));
const fs = require("fs");

const socket = io(url, { transports: { upgrade: ["polling", "websocket"], ends: ["websocket"] }[transport] ?? [transport], reconnection: transport === "ends" });
const both = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient((request) => { socket.send(JSON.stringify(request)); return Promise.resolve(); }));
const told = [];
let wake = () => {}, begun = false;

socket.on("connect_error", (error) => {
	if (begun) return; // it will come back
	console.log("connect_error " + error.message);
	process.exit(1);
});
socket.on("message", (text) => {
	both.receiveAndSend(JSON.parse(text)).then(() => wake(), (error) => { console.log(error.message); process.exit(1); });
});
for (const method of ["update_data", "appendToShell", "removeShell", "addJob", "setQueue", "cpuUsageUpdate"])
	both.addMethod(method, (params) => { told.push({ method, params }); });

function call(method, params) {
	return both.request(method, params).then((result) => ({ result }), (error) => ({ error }));
}

async function heard(test) {
	for (;;) {
		const found = told.find((one) => test(one.method, one.params));
		if (found) return found.params;
		await new Promise((done) => { wake = done; });
	}
}

function status(id, word) {
	return heard((method, params) => method === "update_data" && params.id === id && params.payload.status === word);
}

function job(name, deck, ncpu = "1") {
	fs.mkdirSync(`${folder}/${name}`, { recursive: true });
	const input = `${folder}/${name}/main.k`;
	fs.writeFileSync(input, `*KEYWORD\n${deck}\n*END\n`);
	return { input, solver, ncpu, command: `${solver} i=${input} ncpu=${ncpu} memory=1m`, expr: "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY", memory: "1m" };
}

async function expect(name, test, method, params) {
	const answer = await call(method, params);
	if (!test(answer.result, answer.error)) throw new Error(`${name}: ${JSON.stringify(answer)}`);
	console.log("ok " + name);
	return answer.result;
}

async function drive() {
	const name = transport + process.pid, going = job(name + "a", "$ cycles 100000\n$ pace 0.02"), big = job(name + "b", "$ cycles 1", "4"), third = job(name + "c", "$ cycles 1", "4");
	const numbers = (list) => Array.isArray(list) && list.every((one) => typeof one === "number");
	await expect("getLicCount", (r) => numbers(r) && r.length === 3, "getLicCount");
	await expect("getFreeSpace", (r) => r[0] === "C:" && r[1].toFixed(1) && r[2] > 0, "getFreeSpace", { disk: "C:" });
	await expect("getFullJobList", Array.isArray, "getFullJobList");
	await expect("getQueue", Array.isArray, "getQueue");
	await expect("getRunningShells", (r) => typeof r === "object", "getRunningShells");
	await expect("fileExists", (r) => r === true, "fileExists", { input: going.input });
	await expect("fileExists solver", (r) => r === true, "fileExists", { input: solver });
	await expect("isjobRunning", (r) => r === false, "isjobRunning", { input: going.input });
	await expect("isInQueue", (r) => r === false, "isInQueue", { input: going.input });
	await expect("isFolderEmpty", (r) => r === true, "isFolderEmpty", { input_file: going.input });
	await expect("cleanFolder", (r) => Array.isArray(r.moved), "cleanFolder", { input: going.input });
	const { id } = await expect("startJob", (r) => r.status === "Starting" && r.pid === null, "startJob", { job_data: going, clean_all: true });
	await heard((method, params) => method === "addJob" && params.job.id === id);
	await status(id, "Running");
	await expect("addToQueue", (r, e) => r === null && !e, "addToQueue", { job_data: big });
	await expect("addToQueue again", (r, e) => e.code === 10, "addToQueue", { job_data: big });
	await call("addToQueue", { job_data: third });
	const queue = await expect("getQueue of two", (r) => r.length === 2 && r[0].position === 0, "getQueue");
	await expect("switchPositionQueue", (r) => r === 1, "switchPositionQueue", { initial: 0, new: 1 });
	await expect("setNcpuQueue", (r) => r === 1, "setNcpuQueue", { id: queue[1].id, ncpu: "4" });
	await expect("setPriority", (r) => r === 1, "setPriority", { id: queue[0].id, priority: 3 });
	await expect("removeFromQueue", (r, e) => r === null && !e, "removeFromQueue", { position: 0 });
	await expect("suspendJob", (r, e) => !e, "suspendJob", { id });
	await status(id, "Suspended");
	await expect("resumeJob", (r, e) => !e, "resumeJob", { id });
	await expect("getJobLog", (r) => r.text.includes("Livermore"), "getJobLog", { id, from: 0 });
	await expect("getHistory", (r) => Array.isArray(r.jobs), "getHistory", { page: 0, filter: "" });
	await expect("getQrunJobs", Array.isArray, "getQrunJobs");
	await expect("qKillJob", (r) => r.success === false, "qKillJob", { host: "1@nowhere" });
	await expect("getCoreAllocationStatus", (r) => r.core_job_map["0"] === id, "getCoreAllocationStatus");
	await expect("sendD3kill", (r, e) => !e, "sendD3kill", { id, payload: "sw1" });
	await status(id, "sw1");
	await expect("removeShell", (r) => r === id, "removeShell", { id });
	await heard((method, params) => method === "removeShell" && params.id === id);
	await status(queue[1].id, "Finished");
	await expect("getCharts", (r) => Array.isArray(r.elapsed), "getCharts", { id: queue[1].id });
	await expect("getSettings", (r) => r.cores === 4 && r.steers, "getSettings");
	const polite = await call("startJob", { job_data: job(name + "p", "$ cycles 100000\n$ pace 0.02") });
	await status(polite.result.id, "Running");
	await expect("stopJob", (r, e) => !e, "stopJob", { id: polite.result.id });
	await status(polite.result.id, "Finished");
	const last = await call("startJob", { job_data: job(name + "d", "$ cycles 1\n$ end hang") });
	await status(last.result.id, "Running");
	await expect("KillProcessByJobId", (r, e) => !e, "KillProcessByJobId", { id: last.result.id });
	await status(last.result.id, "Stopped");
	await expect("no such method", (r, e) => e.code === -32601, "noSuchMethod");
	const monitored = new Promise((done) => socket.on("cpu_monitoring_started", done));
	socket.emit("start_cpu_monitoring");
	await monitored;
	await heard((method) => method === "cpuUsageUpdate");
	await expect("startCpuMonitoring", (r) => r === true, "startCpuMonitoring");
	await expect("stopCpuMonitoring", (r) => r === false, "stopCpuMonitoring");
	console.log("transport " + socket.io.engine.transport.name);
	console.log("done");
	socket.close();
}

async function until(test) {
	while (!(await test())) await new Promise((done) => setTimeout(done, 50));
}

async function ends() {
	let number = 0;
	const start = async (deck, ncpu) => (await expect(`start ${JSON.stringify(deck)}`, (r) => r.id > 0, "startJob", { job_data: job(`end${++number}`, deck, ncpu) })).id;
	const kill = async (id) => { await call("KillProcessByJobId", { id }); await status(id, "Stopped"); };
	const waits = (id, why) => until(async () => (await call("getQueue")).result.some((one) => one.id === id && one.why === why));
	for (const [deck, word, why] of [["$ cycles 2", "Finished", /^$/], ["$ cycles 1\n$ end error", "Error", /error/], ["$ cycles 1\n$ end crash", "Error", /signal 11/],
		["$ cycles 1\n$ mass 7.5", "Finished", /^added mass: 7.5 %$/], ["$ cycles 1\n$ runaway 1000", "Finished", /^$/]]) {
		const { payload } = await status(await start(deck), word);
		if (!why.test(payload.message)) throw new Error(`${deck}: ${payload.message}`);
	}
	const deaf = await start("$ cycles 1\n$ deaf\n$ forks 3\n$ end hang");
	await status(deaf, "Running");
	await kill(deaf);

	const first = await start("$ cycles 1\n$ end hang", "3"), second = await start("$ cycles 1\n$ end hang", "4"), third = await start("$ cycles 1");
	await waits(second, "waits for cores");
	await waits(third, "waits behind the first of the queue");
	await status(first, "Running");
	await kill(first);
	await status(second, "Running");
	await kill(second);
	await status(third, "Finished");
	console.log("licences 31");
	await until(async () => (await call("getLicCount")).result[0] === 31);
	const licensed = await start("$ cycles 1", "2");
	await waits(licensed, "waits for licences");
	console.log("licences 0");
	await status(licensed, "Finished");

	for (const input of JSON.parse(ways)) {
		await expect(`no ${input}`, (r) => r === false, "fileExists", { input });
		for (const [method, params] of [["startJob", { job_data: { ...job("way", ""), input } }], ["addToQueue", { job_data: { ...job("way", ""), input } }], ["cleanFolder", { input }]])
			await expect(`${method} ${input}`, (r, e) => e, method, params);
	}

	const going = await start("$ cycles 100000\n$ pace 0.05");
	await status(going, "Running");
	told.length = 0;
	console.log("restart");
	await status(going, "Running"); // it came back by itself and asked for nothing
	await heard((method, params) => method === "appendToShell" && params.id === going);
	await expect("getJobLog after the restart", (r) => r.text.includes("Livermore"), "getJobLog", { id: going, from: 0 });
	await call("sendD3kill", { id: going, payload: "sw1" });
	await status(going, "sw1");
	console.log("done");
	socket.close();
}

socket.once("connect", () => {
	begun = true;
	(transport === "ends" ? ends() : drive()).catch((error) => {
		console.log(error.message);
		process.exit(1);
	});
});
