"""The server of a remote backend: it checks who asks, calls a method, and signs the answer. The
specification is docs/remote-backends.md."""

import base64, hashlib, hmac, json, os, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 300  # seconds that a signature lasts
SECRETS = [base64.b64decode(secret.removeprefix("whsec_")) for secret in os.environ["REMOTE_SECRET"].split()]


class Failure(Exception):
    """What went wrong at the platform: a cause of the contract's closed list."""

    def __init__(self, cause, detail, retry_after=None):
        self.told = {"cause": cause, "detail": detail, "retry_after": retry_after}


class SetupError(Exception):
    """What a person can mend."""

    def __init__(self, problem, **about):
        self.told = {"problem": problem, **about}


def signatures(request_id, timestamp, body):
    signed = b".".join([request_id.encode(), timestamp.encode(), body])
    return ["v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in SECRETS]


class Handler(BaseHTTPRequestHandler):
    protocol_version, seen, lock = "HTTP/1.1", {}, threading.Lock()
    wbufsize = -1  # head and body in one piece, so that nobody waits for an acknowledgement

    def is_genuine(self, request_id, timestamp, body):
        """Signed with a secret of ours, fresh, and not seen before."""
        known, given = signatures(request_id, timestamp, body), self.headers.get("webhook-signature", "").split()
        is_signed = any([hmac.compare_digest(one.encode(), own.encode()) for one in given for own in known])
        now = time.time()
        if not is_signed or abs(now - int(timestamp)) > TOLERANCE:
            return False
        with self.lock:
            for old in [each for each, at in self.seen.items() if now - at > 2 * TOLERANCE]:
                del self.seen[old]
            is_new = request_id not in self.seen
            self.seen[request_id] = now
            return is_new

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        request_id, timestamp = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "")
        if not self.is_genuine(request_id, timestamp, body):
            return self.send(401, b"", {})
        asked = json.loads(body)
        try:
            told = {"result": self.server.methods[asked["method"]](asked.get("site"), asked["arguments"])}
        except Failure as failure:
            told = {"failure": failure.told}
        except SetupError as error:
            told = {"setup_error": error.told}
        answer, own_id, now = json.dumps(told).encode(), "answer-" + request_id, str(int(time.time()))
        signed = " ".join(signatures(own_id, now, answer))
        self.send(200, answer, {"webhook-id": own_id, "webhook-timestamp": now, "webhook-signature": signed})

    def send(self, status, body, headers):
        self.send_response(status)
        for name, value in (headers | {"content-type": "application/json", "content-length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    methods, request_queue_size = {}, 128


def serve(methods):
    """Serve these methods: functions of the site (or None) and the arguments."""
    Server.methods = methods
    host, port = os.environ.get("LISTEN", "127.0.0.1:9000").rsplit(":", 1)
    Server((host, int(port)), Handler).serve_forever()
