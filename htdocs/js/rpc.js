/* rpc: JSON-RPC 2.0 on one WebSocket. It comes back by itself; calls made meanwhile fail with a sentence. */

/** Connect to `path`. `told(method, params)` hears what is told, `open()` and `closed(opened)` when the connection comes and goes (opened: it had been there). */
export function connect(path, { told, open, closed }) {
	const waiting = new Map();
	let socket, number = 0, wait = 500, opened = false;

	function take(message) {
		if (message.method) return told(message.method, message.params);
		const { done, fail } = waiting.get(message.id) ?? {};
		waiting.delete(message.id);
		if (message.error) fail?.(Object.assign(new Error(message.error.data || message.error.message), { code: message.error.code }));
		else done?.(message.result);
	}

	function begin() {
		opened = false;
		socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
		socket.onopen = () => { opened = true; wait = 500; open(); };
		socket.onmessage = ({ data }) => [JSON.parse(data)].flat().forEach(take);
		socket.onclose = () => {
			for (const { fail } of waiting.values()) fail(new Error("The connection was lost. Try again."));
			waiting.clear();
			closed(opened);
			setTimeout(begin, wait = Math.min(wait * 2, 30000));
		};
	}

	begin();
	return (method, params) => new Promise((done, fail) => {
		if (socket.readyState !== WebSocket.OPEN) return fail(new Error("The launcher can't be reached right now."));
		waiting.set(++number, { done, fail });
		socket.send(JSON.stringify({ jsonrpc: "2.0", id: number, method, params }));
	});
}
