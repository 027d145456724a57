"""HTTP/2 on one connection, by the h2 package: every stream is a task of its own."""

import asyncio

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from .message import Request


class Http2Connection:
    def __init__(self, connection):
        self.connection = connection
        config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1")
        self.h2 = h2.connection.H2Connection(config)
        self.window = asyncio.Event()  # set when the peer lets us send more
        self.streams = {}  # id → [headers, body]
        self.tasks = {}  # id → task

    async def run(self):
        self.h2.initiate_connection()
        self.flush()
        try:
            while data := await self.connection.reader.read(1 << 16):
                for event in self.h2.receive_data(data):
                    self.on_event(event)
                self.flush()
        except h2.exceptions.ProtocolError:
            self.flush()
        finally:
            for task in self.tasks.values():
                task.cancel()

    def flush(self):
        self.connection.writer.write(self.h2.data_to_send())

    def on_event(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.streams[event.stream_id] = [event.headers, bytearray()]
        elif isinstance(event, h2.events.DataReceived):
            self.streams[event.stream_id][1].extend(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.start(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.reset(event.stream_id)
        elif isinstance(event, h2.events.WindowUpdated):
            self.window.set()
        elif isinstance(event, h2.events.RemoteSettingsChanged):
            self.window.set()

    def start(self, stream):
        headers, body = self.streams.pop(stream)
        pseudo = {n: v for n, v in headers if n.startswith(":")}
        plain = [[n, v] for n, v in headers if not n.startswith(":")]
        plain.insert(0, ["host", pseudo[":authority"]])
        request = Request(pseudo[":method"], pseudo[":path"], plain, bytes(body), self.connection,
                          "2")
        request.stream = stream
        task = asyncio.get_running_loop().create_task(self.handle(request))
        self.tasks[stream] = task
        task.add_done_callback(lambda _: self.tasks.pop(stream, None))

    def reset(self, stream):
        """The peer reset one stream: cancel the page that serves it."""
        task = self.tasks.get(stream)
        if task is not None:
            request = self.connection.running.pop(task, None)
            if request is not None:
                self.connection.origin.stats.record_event("left", self.connection, request.target)
            task.cancel()

    async def handle(self, request):
        try:
            if await self.connection.handle(request, self.send) is None:
                self.h2.reset_stream(request.stream)  # a page that speaks HTTP/1.1 only
                self.flush()
        except (asyncio.CancelledError, ConnectionError, h2.exceptions.H2Error):
            pass

    async def send(self, request, response):
        stream = request.stream
        headers = [(":status", str(response.status))]
        headers += [(n.lower(), v) for n, v in response.headers]
        if response.length is not None and not response.bodiless():
            headers.append(("content-length", str(response.length)))
        empty = request.method == "HEAD" or response.bodiless() or response.body == b""
        self.h2.send_headers(stream, headers, end_stream=empty)
        self.flush()
        if not empty:
            await self.send_body(stream, response)

    async def send_body(self, stream, response):
        if isinstance(response.body, bytes):
            await self.send_bytes(stream, response.body)
        else:
            async for piece in response.body:
                await self.send_bytes(stream, piece)
        self.h2.end_stream(stream)
        self.flush()

    async def send_bytes(self, stream, data):
        view = memoryview(data)
        while view:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room <= 0:
                self.window.clear()
                await self.window.wait()
                continue
            self.h2.send_data(stream, view[:room].tobytes())
            self.flush()
            await self.connection.writer.drain()
            view = view[room:]


async def serve(connection):
    await Http2Connection(connection).run()
