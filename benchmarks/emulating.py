"""An emulator for as long as a benchmark takes."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def emulator(control: Any, what: str = "faults") -> Iterator[str]:
    """Runs an emulator in a process of its own, points this one at it and yields its address.

    Args:
        control: What is put to `/emulator/{what}`: its faults, or the fates of its tuning jobs.
        what: `faults` or `tuning`.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "vertex_emulator", "--json", "--until-stdin-closes", "--data-dir", folder]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin and process.stdout
        try:
            started = json.loads(process.stdout.readline())
            os.environ.update(started["environment"])
            url = f"http://127.0.0.1:{started['port']}"
            request = urllib.request.Request(f"{url}/emulator/{what}", json.dumps(control).encode(), method="PUT")
            with urllib.request.urlopen(request):
                pass
            yield url
        finally:
            process.stdin.close()
            process.wait()
