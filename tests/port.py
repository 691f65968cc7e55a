"""port: a TCP port of this machine for a server of a test, out of those that the kernel gives to outgoing connections: it stays free while the server restarts."""
import random
import socket


def free_port():
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        first = int(f.read().split()[0])
    while True:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", random.SystemRandom().randrange(10000, first) if first > 20000 else 0))
            except OSError:
                continue  # somebody's
            return s.getsockname()[1]
