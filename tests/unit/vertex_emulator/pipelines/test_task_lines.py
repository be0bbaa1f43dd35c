"""What a task writes without end, in pieces."""

import subprocess
import sys

from vertex_emulator.pipelines.task_lines import lines_of

WRITTEN = (
    "import sys; out = sys.stdout.buffer; err = sys.stderr.buffer;"
    "err.write(('é' * 150_000).encode()); err.flush();"
    "out.write(b'short\\n' + b'x' * 30_000_000); out.flush();"
    "err.write('à\\nlast'.encode())"
)


def test_a_line_that_does_not_end_comes_in_pieces_and_is_whole_together() -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITTEN], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        lines = list(lines_of(process))
    said = {severity: [line for one, line in lines if one == severity] for severity in ("INFO", "ERROR")}
    assert max(len(line) for _, line in lines) <= 100_000
    assert said["INFO"][0] == b"short\n" and b"".join(said["INFO"][1:]) == b"x" * 30_000_000
    assert "".join(line.decode() for line in said["ERROR"]) == "é" * 150_000 + "à\nlast"
    assert said["ERROR"][-1] == b"last"
