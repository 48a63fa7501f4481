"""Settings that nobody reads, and which was meant."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

_SURE: Final = 0.8
_LIKELY: Final = 0.6
_OF_FAKES: Final = ("SIM_", "TELEGRAM_FAKE_")


def misspelt(
    known: Collection[str], dotenv: Collection[str], environ: Mapping[str, str]
) -> Iterator[str]:
    """Yield a line for each name that looks like a setting of ours and is none; never a value.

    In `.env`, that is one that begins with the same word as a setting, or is nearly one; in the
    environment, which has others' too, only one that is nearly a setting.
    """
    words = {_word(name) for name in known}
    for name in sorted({*dotenv, *environ} - {*known}):
        if name.startswith(_OF_FAKES):
            continue
        ours = name in dotenv and _word(name) in words
        near = _nearest(name, known, _LIKELY if ours else _SURE)
        if near:
            yield f"{name} is no setting: did you mean {near}?"
        elif ours:
            yield f"{name} is no setting"


def _word(name: str) -> str:
    return name.partition("_")[0]


def _nearest(name: str, known: Iterable[str], at_least: float) -> str | None:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=at_least)), None)
