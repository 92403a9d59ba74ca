"""A small client of QEMU's control socket (QMP): one JSON object per line, events ignored."""

import json
import socket
import time


class Monitor:
    """Connects when entered; `command` returns QEMU's answer or raises RuntimeError."""

    def __init__(self, path, timeout=20):
        self.path, self.timeout = path, timeout
        self.socket = self.lines = None

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(self.timeout)
        give_up = time.monotonic() + self.timeout
        while True:
            try:
                self.socket.connect(self.path)
                break
            except OSError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)
        self.lines = self.socket.makefile("rw", encoding="utf-8")
        self.lines.readline()  # the greeting
        self.command("qmp_capabilities")
        return self

    def __exit__(self, *_):
        self.socket.close()

    def command(self, name, **arguments):
        """Send one command, wait for its answer."""
        self.lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.lines.flush()
        while line := self.lines.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"{name}: QEMU closed its control socket")

    def key(self, *names):
        """Press keys together, e.g. key("ctrl", "alt", "delete")."""
        keys = [{"type": "qcode", "data": name} for name in names]
        self.command("send-key", keys=keys)
