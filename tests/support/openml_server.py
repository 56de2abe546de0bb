"""A local OpenML server: it serves a folder in the client's cache layout under OpenML's REST paths, with faults.

The client's requests for a task, in order: ``task/<id>``, ``data/<id>``, ``data/features/<id>``, the data ARFF (its
URL is in the data set's description), the splits ARFF (its URL is in the task), ``data/qualities/<id>``.
"""

from __future__ import annotations

import contextlib
import math
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UNKNOWN = (
    '<oml:error xmlns:oml="http://openml.org/openml"><oml:code>{code}</oml:code>'
    "<oml:message>{message}</oml:message></oml:error>"
)


class OpenMLServer:
    """Serves a folder that holds ``tasks/`` and ``datasets/``.

    ``fail`` makes paths fail. Kinds: a status as text (503, 404); 412, OpenML's own error; ``truncated`` (the
    connection ends early), ``corrupt`` (one byte is changed), ``short`` (half of it, with a matching length).
    """

    def __init__(self, folder):
        self.folder, self.faults, self.requests = folder, {}, []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def host(self):
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def api(self):
        return f"{self.host}/api/v1/xml"

    def fail(self, part, kind, times=math.inf):
        self.faults[part] = [kind, times]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def file(self, path):
        """The file behind a path of OpenML's, or None."""
        routes = {
            r"/api/v1/xml/task/(\d+)": "tasks/{}/task.xml",
            r"/api/v1/xml/data/(\d+)": "datasets/{}/description.xml",
            r"/api/v1/xml/data/features/(\d+)": "datasets/{}/features.xml",
            r"/api/v1/xml/data/qualities/(\d+)": "datasets/{}/qualities.xml",
            r"/api_splits/get/(\d+)/.*\.arff": "tasks/{}/datasplits.arff",
            r"/data/v1/download/(\d+)/.*\.arff": "datasets/{}/dataset.arff",
        }
        for route, name in routes.items():
            if found := re.fullmatch(route, path):
                file = self.folder / name.format(found[1])
                return file if file.is_file() else None
        return None

    def fault(self, path):
        for part, fault in self.faults.items():
            if part in path and fault[1] > 0:
                fault[1] -= 1
                return fault[0]
        return None

    def _handler(outer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.partition("?")[0]
                outer.requests.append(path)
                file, fault = outer.file(path), outer.fault(path)
                if fault == "412" or (fault is None and file is None and "/task/" in path):
                    return self.answer(412, UNKNOWN.format(code=151, message="Unknown task").encode())
                if fault == "404" or (fault is None and file is None):
                    return self.answer(404, b"<!DOCTYPE html><p>Not found<br></html>")
                if fault is not None and fault.isdecimal():
                    return self.answer(int(fault), b"<html><hr>busy</html>")
                body = file.read_bytes()
                if file.suffix == ".xml":
                    body = re.sub(rb"https?://[^/<]*(?=/(?:api_splits|data)/)", outer.host.encode(), body)
                return self.answer(200, *spoilt(body, fault))

            def answer(self, status, body, length=None):
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):
                    self.wfile.write(body)
                self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler


def spoilt(body, fault):
    """(body, announced length)."""
    half = len(body) // 2
    if fault == "truncated":
        return body[:half], len(body)
    if fault == "corrupt":
        return body[:half] + bytes([body[half] ^ 1]) + body[half + 1 :], len(body)
    if fault == "short":
        return body[:half], half
    return body, len(body)
