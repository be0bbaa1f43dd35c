"""`python -m vertex_emulator`: serve, and print where."""

import argparse
import sys
from pathlib import Path

from vertex_emulator.environment import variables
from vertex_emulator.server import StartError, announcement, serve


def main() -> int:
    """Runs the emulator from the command line; 2 if it cannot start."""
    parser = argparse.ArgumentParser(prog="vertex_emulator", description=sys.modules["vertex_emulator"].__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--data-dir", type=Path, default=Path(".local"), help="where everything is kept")
    parser.add_argument(
        "--task-python", type=Path, help="what stands for the image: the Python that tasks run in (default: this one)"
    )
    parser.add_argument("--json", action="store_true", help="announce the address as one line of JSON")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end with the process that started it; schedules start nothing",
    )
    options = parser.parse_args()

    def announce(port: int) -> None:
        if options.json:
            print(announcement(port), flush=True)
            return
        print(f"# Vertex AI emulator on http://127.0.0.1:{port}, data in {options.data_dir}. Stop it with Ctrl-C.")
        print(f"# Look at it: http://127.0.0.1:{port}/")
        print("# In the shell of your program:")
        print("unset GOOGLE_APPLICATION_CREDENTIALS")
        print("\n".join(f"export {name}={value}" for name, value in variables(port).items()), flush=True)

    try:
        serve(
            options.data_dir.resolve(),
            options.port,
            task_python=options.task_python,
            until_stdin_closes=options.until_stdin_closes,
            announce=announce,
        )
    except StartError as error:
        print(f"vertex_emulator: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
