"""An application's end of the webhooks."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Keeps what is posted to `url` as (headers, body), and answers what `answer` makes of it: (status, JSON)."""

    def __init__(self):
        self.posted = queue.Queue()
        self.answer = lambda headers, body: (200, {})

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["content-length"]))
                self.posted.put((dict(handler.headers), body))
                status, document = self.answer(dict(handler.headers), body)
                content = json.dumps(document).encode()
                handler.send_response(status)
                handler.send_header("content-length", str(len(content)))
                handler.end_headers()
                handler.wfile.write(content)

            def log_message(handler, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/chatport"
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
