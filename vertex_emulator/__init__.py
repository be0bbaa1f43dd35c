"""An emulator of the parts of Vertex AI and Cloud Storage that tuning a Gemini model touches.

It is the other side of the wire: it serves the unmodified Google SDKs over HTTP on the loopback interface, shares no
code with the rest of the project and parses requests as strictly as Google's own protobuf types do.
"""
