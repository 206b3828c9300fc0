import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Every kind of packet there is. */
export default hostile({
  id: "N1",
  tries: "TCP, UDP, ICMP, raw sockets, names, multicast",
  promise: "scored; there is no network but its own loopback",
  play: [
    {
      revision: python(`
def send(kind, place):
    with socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, kind) as out:
        out.settimeout(1)
        out.connect(place); out.send(b"x")
attempt("TCP", lambda: send(socket.SOCK_STREAM, ("1.1.1.1", 443)))
attempt("UDP", lambda: send(socket.SOCK_DGRAM, ("8.8.8.8", 53)))
attempt("TCP 6", lambda: send(socket.SOCK_STREAM, ("2606:4700:4700::1111", 443)))
attempt("multicast", lambda: send(socket.SOCK_DGRAM, ("224.0.0.251", 5353)))
attempt("broadcast", lambda: send(socket.SOCK_DGRAM, ("255.255.255.255", 9)))
attempt("ICMP", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).sendto(b"\\x08\\x00\\xf7\\xff\\x00\\x00\\x00\\x00", ("1.1.1.1", 0)))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("name", lambda: socket.getaddrinfo("example.com", 80))
tell(sorted(os.listdir("/sys/class/net")), open("/proc/net/route").read().count("\\n"))
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => {
        assert.doesNotMatch(stdout, /GOT/);
        assert.match(stdout, /^\['lo'\] 1$/m);
      },
    },
  ],
});
