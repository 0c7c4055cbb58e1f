"""A stand-in for Chatport that answers as it is told, to see what the client does then."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def problem(slug, status, retry_after=None):
    """An answer that is this problem."""
    document = {"type": f"/problems/{slug}", "title": "T", "status": status, "cure": "Wait."}
    return status, document, {} if retry_after is None else {"retry-after": str(retry_after)}


class StandIn:
    """Gives these answers, one after the other: (status, JSON, headers), or None, which closes the connection
    without one. `requests` is what came: (method, path, body)."""

    def __init__(self, *answers):
        self.requests, answers = [], list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler):
                body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
                self.requests.append((handler.command, handler.path, body))
                if (answer := answers.pop(0)) is None:
                    handler.close_connection = True
                    return
                status, document, headers = answer
                content = json.dumps(document).encode()
                handler.send_response(status)
                for name, value in {"content-length": len(content), **headers}.items():
                    handler.send_header(name, str(value))
                handler.end_headers()
                handler.wfile.write(content)

            do_PUT = do_POST = do_DELETE = do_GET

            def log_message(handler, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
