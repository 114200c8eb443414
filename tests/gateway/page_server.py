"""The terminal page's files alone, for what needs no gateway; and a way to call its modules."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from onecard.gateway.page import PATH, Page

# A function that is given a way to load the page's modules.
RUN = "(argument) => ({script})((name) => import(`${{document.body.dataset.base}}js/${{name}}.js`), argument)"


class PageServer:
    """The page's files without a gateway behind them; `page` may be another one later."""

    def __init__(self, mac: str) -> None:
        self.page = Page.read(mac)
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = told.page.answers.get(self.path.removeprefix(PATH))
                self.send_response(404 if found is None else 200)
                if found is not None:
                    for name, value in (("content-type", str(found.kind)), *found.headers):
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"" if found is None else found.body)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}{PATH}"


@contextmanager
def page_server(mac: str = "hmac-sha256") -> Iterator[PageServer]:
    """Serve the page as it is for a node whose terminals' keys are for `mac`."""
    serving = PageServer(mac)
    thread = threading.Thread(target=serving.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        serving.server.shutdown()
        serving.server.server_close()
        thread.join()
