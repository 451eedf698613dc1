"""Fetch the files for browsers: `python -m intellifl.assets`."""

from __future__ import annotations

import sys

from intellifl import assets


def main() -> int:
    """Return the exit code: 0 when all files are there, 1 when they could not be fetched."""
    try:
        files = assets.fetch()
    except assets.AssetsError as error:
        print(f"The files for browsers were not fetched: {error}.", file=sys.stderr)
        print(
            "Pages work without them, but have no live charts and no terminal; "
            "`make assets` tries again.",
            file=sys.stderr,
        )
        return 1
    print(f"Fetched {len(files)} files for browsers.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
