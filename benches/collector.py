"""The embedded collector against many endpoints: does its memory stay, and what does a sample cost?

    python3 benches/collector.py target/release/unfazed [ENDPOINTS 100] [SERIES 1000] [SECONDS 120]

Serves ENDPOINTS pages of SERIES series each on the loopback (every counter goes up once a second), records them with
`unfazed record` at one second, and prints its resident memory every tenth of the time, its processor time, and what
came into the recording. The pages are made by this program, whose own processor time is not counted.
"""

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        now = int(time.time())
        if self.server.second != now:
            self.server.page = (self.server.lines % {"value": now % 1_000_000}).encode()
            self.server.second = now
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        self.wfile.write(self.server.page)

    def log_message(self, *_):
        pass


def lines(series):
    text = "# TYPE requests_total counter\n"
    for number in range(series):
        text += 'requests_total{handler="/api/v1/payments",code="200",shard="%d"} %%(value)s\n' % number
    return text


def status(process, key):
    with open(f"/proc/{process.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key))


def main(program, endpoints=100, series=1000, seconds=120):
    targets = []
    for _ in range(endpoints):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        server.daemon_threads = True
        server.second, server.lines = 0, lines(series)
        targets.append(f'"http://127.0.0.1:{server.server_port}/metrics"')
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/experiment.yaml", "w") as file:
            file.write(
                "apiVersion: unfazed/v1\nkind: Experiment\nmetadata: {name: bench, owner: bench}\nspec:\n"
                "  hypothesis: The collector keeps up.\n  environment: test\n  windows: {baseline: 1m, experiment: 1m}\n"
                f"  source: {{scrape: {{targets: [{', '.join(targets)}], every: 1s}}}}\n"
                "  metrics:\n    - name: requests\n      counter: requests_total\n"
            )
        command = [program, "record", f"{directory}/experiment.yaml", "--for", f"{seconds}s", "-o", f"{directory}/out"]
        process = subprocess.Popen(command)
        for _ in range(10):
            time.sleep(seconds / 10)
            if process.poll() is None:
                print(f"resident {status(process, 'VmRSS') // 1024} MiB, peak {status(process, 'VmHWM') // 1024} MiB", flush=True)
        code = process.wait()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = used.ru_utime + used.ru_stime
        parts = os.listdir(f"{directory}/out/samples")
        size = sum(os.path.getsize(f"{directory}/out/samples/{part}") for part in parts)
        samples = endpoints * series * seconds
        print(
            f"exit code {code}; {len(parts)} parts, {size / 1e6:.1f} MB; processor {spent:.1f} s in {seconds} s, "
            f"{spent / samples * 1e6:.2f} µs a sample of {samples} due"
        )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
