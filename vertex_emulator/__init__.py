"""An emulator of the parts of Vertex AI and Cloud Storage that tuning a Gemini model touches.

It is the other side of the wire: it serves the unmodified Google SDKs over HTTP on the loopback interface, shares no
code with the rest of the project and parses requests as strictly as Google's own protobuf types do.
"""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    # The stand-in's matrices are small: threads would wait for each other longer than they work. numpy reads this once.
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
