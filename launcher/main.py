"""The entry point: turns errors into messages and exit codes.

Nothing is imported before `main` runs, so that an interrupt is met even while Python still loads the rest.
"""

import sys

_INTERRUPTED = 130


def main() -> None:
    """Runs `gemini-sft`: exit code 0, 1 if the run failed, 2 for the user's mistake, 130 after an interrupt."""
    try:
        code = _run()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        print("Interrupted.", file=sys.stderr)
    sys.exit(code)


def _run() -> int:
    from rich.console import Console
    from rich.text import Text

    from gemini_sft.errors import RunError, ServiceError, UserError
    from launcher.cli import app

    console = Console(stderr=True, highlight=False)
    try:
        app()
    except UserError as error:
        console.print(Text(str(error), "red"), soft_wrap=True)
        return 2
    except RunError as error:
        # A service that does not answer says nothing of a run, which may go on; nor is every command about one.
        failed = "" if isinstance(error, ServiceError) else "The run failed: "
        console.print(Text(f"{failed}{error}", "red"), soft_wrap=True)
        return 1
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 0
    return 0


if __name__ == "__main__":
    main()
