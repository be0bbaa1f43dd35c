"""Compile every pipeline to build/*.yaml and refuse what Vertex AI would refuse: `python compile.py [FOLDER]`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# A file named like the builtin must not be what `import compile` finds, nor the folder of another call.
sys.path.insert(0, str(ROOT))

from launcher.compiling import NotPortable, compile_pipelines  # noqa: E402


def main() -> int:
    """Compiles into the folder given, or into build/ beside this file."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build"
    try:
        for path in compile_pipelines(folder):
            print(path)
    except NotPortable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
