"""A server with the strictest rules that the book promises to work under."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What a careful host sends. Directories named after a fault send something stricter.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; worker-src blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:"
)
#: The same, and WebAssembly allowed: what runs without it complains in Firefox's console.
WITH_WASM = POLICY.replace("script-src", "script-src 'wasm-unsafe-eval'")
STRICTER = {
    "/no-style/": POLICY.replace("style-src 'self' 'unsafe-inline'", "style-src 'self'"),
    "/no-worker/": POLICY.replace("worker-src blob:", "worker-src 'none'"),
    "/no-inline/": POLICY.replace("'unsafe-inline' blob:", "").replace(
        "worker-src blob:", "worker-src 'none'"
    ),
}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, silently, with a Content-Security-Policy."""

    def __init__(self, *args, policy: str, **options) -> None:
        self.policy = policy
        super().__init__(*args, **options)

    def end_headers(self) -> None:
        policy = next((p for key, p in STRICTER.items() if self.path.startswith(key)), self.policy)
        self.send_header("Content-Security-Policy", policy)
        super().end_headers()

    def log_message(self, *args) -> None:
        pass


@contextmanager
def serving(directory: Path, policy: str = POLICY) -> Iterator[str]:
    """Serve ``directory`` on a free port; yields the address."""
    handler = functools.partial(Handler, directory=str(directory), policy=policy)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
