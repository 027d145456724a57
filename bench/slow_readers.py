"""Many slow readers: python slow_readers.py PORT TARGET BODY COUNT RATE SECONDS.

COUNT POSTs of BODY to TARGET, all open at once, each read at RATE bytes a second. Once all have
their heads, prints "reading"; after SECONDS, a line of JSON: what each got, and its longest wait.
"""

import heapq
import json
import select
import socket
import sys
import time

TURNS = 4  # a reader reads so often a second
RECEIVE_BUFFER = 16384  # small, so that a reader's pace is felt on the other side


class Reader:
    def __init__(self, port, message):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.sock.connect(("127.0.0.1", port))
        self.sock.sendall(message)
        self.sock.setblocking(False)
        self.got = 0
        self.last = self.longest = 0.0

    def read(self, size, now):
        try:
            piece = self.sock.recv(size)
        except BlockingIOError:
            return
        if not piece:
            raise SystemExit("a stream has ended")
        self.got += len(piece)
        self.longest = max(self.longest, now - self.last)
        self.last = now


def open_all(port, message, count):
    """Each has its status line and some of its head; any other response ends the run."""
    readers, poll = {}, select.epoll()
    for _ in range(count):
        r = Reader(port, message)
        readers[r.sock.fileno()] = r
        poll.register(r.sock, select.EPOLLIN)
    waiting = set(readers)
    while waiting:
        for fd, _ in poll.poll(30):
            head = readers[fd].sock.recv(600)
            if not head.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"no stream: {head!r}")
            waiting.discard(fd)
            poll.unregister(fd)
    return list(readers.values())


def read_slowly(readers, rate, seconds):
    """Each reader has its own times, spread evenly over a turn."""
    start = time.monotonic()
    due = [(start + i / len(readers) / TURNS, i) for i in range(len(readers))]
    for r in readers:
        r.last = start
    while due[0][0] < start + seconds:
        at, i = heapq.heappop(due)
        while (now := time.monotonic()) < at:
            time.sleep(at - now)
        readers[i].read(rate // TURNS, now)
        heapq.heappush(due, (at + 1 / TURNS, i))
    end = time.monotonic()
    for r in readers:
        r.longest = max(r.longest, end - r.last)
    return end - start


def main():
    port, target, body, count, rate, seconds = sys.argv[1:]
    body = body.encode()
    message = (f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
               .encode() + body)
    readers = open_all(int(port), message, int(count))
    print("reading", flush=True)
    took = read_slowly(readers, int(rate), float(seconds))
    print(json.dumps({"seconds": took, "bytes": [r.got for r in readers],
                      "longest_wait": [r.longest for r in readers]}), flush=True)


main()
