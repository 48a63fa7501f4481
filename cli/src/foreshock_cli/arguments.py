"""What several commands take on their command line."""

import argparse
import math


def seconds(text: str) -> float:
    """Return a time to run.

    Raises:
        argparse.ArgumentTypeError: It is none.
        ValueError: It is no number.
    """
    found = float(text)
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time to run: say how many seconds")
    return found


def words(text: str) -> tuple[str, ...]:
    """Return the words of a comma separated list, each once."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
