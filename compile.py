"""Compile every pipeline to build/*.yaml and refuse what Vertex AI would refuse: `python compile.py [FOLDER]`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# A file named like the builtin must not be what `import compile` finds, nor the folder of another call.
sys.path.insert(0, str(ROOT))

from gemini_sft.errors import UserError  # noqa: E402
from launcher.compiling import NotPortable, compile_pipelines  # noqa: E402
from launcher.image import BUILT, objection, use_image  # noqa: E402


def main() -> int:
    """Compiles into the folder given, or into build/ beside this file, for the image that was built into it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build"
    try:
        image = use_image(folder / BUILT.name)
        if image and (why := objection(image)):
            raise UserError(why)
        for path in compile_pipelines(folder):
            print(path)
    except NotPortable as error:
        print(error, file=sys.stderr)
        return 1
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
