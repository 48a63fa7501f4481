"""Which kinds of alerts a chat gets: how people name them, and what they may ask for."""

from collections.abc import Collection, Sequence
from typing import Final

from foreshock_schemas.events import SignalKind
from telegram_gateway.domain import coins, markup
from telegram_gateway.domain.answering import Answer, Button

_NAMES: Final[dict[SignalKind, str]] = {
    "cascade": "cascades",
    "liquidation": "liquidations",
    "volume_spike": "volume",
    "oi_explosion": "oi",
    "market_wide": "market",
    "zone_warning": "zones",
    "feed": "feeds",
}
_KINDS: Final[dict[str, SignalKind]] = {
    name.removesuffix("s"): kind for kind, name in _NAMES.items()
} | {
    **{str(kind): kind for kind in _NAMES},
    "volume-spike": "volume_spike",
    "spike": "volume_spike",
    "open": "oi_explosion",
    "interest": "oi_explosion",
    "open-interest": "oi_explosion",
    "market-wide": "market_wide",
    "warning": "zone_warning",
}
WORDS: Final = ("kinds", "only", "mute", "unmute", "all")
"""What `/alerts` takes that is about kinds."""


class UnknownKind(Exception):
    """A word that names no kind, as it was said; empty where one was missing."""


def muted_after(
    word: str, said: Sequence[str], muted: Collection[SignalKind]
) -> tuple[SignalKind, ...]:
    """Return the kinds that are muted once one of `WORDS` is done.

    Raises:
        UnknownKind: `only`, `mute` or `unmute` without a kind, or with one that there is not.
    """
    if word == "kinds":
        return tuple(muted)
    if word == "all":
        return ()
    named = {_kind(each) for each in " ".join(said).replace(",", " ").split() or [""]}
    if word == "only":
        off = _NAMES.keys() - named
    else:
        off = {*muted} | named if word == "mute" else {*muted} - named
    return tuple(kind for kind in _NAMES if kind in off)


def told(muted: Collection[SignalKind]) -> str:
    """Return which kinds a chat gets, and which not."""
    on = ", ".join(name for kind, name in _NAMES.items() if kind not in muted)
    off = ", ".join(name for kind, name in _NAMES.items() if kind in muted)
    if not off:
        return f"Kinds: all ({on})"
    return f"Kinds: {on or 'none'} (muted: {off})"


def answer(muted: Collection[SignalKind], *, active: bool) -> Answer:
    """Return the answer to what was asked of kinds, with a button to switch each."""
    blocks = [
        told(muted),
        *([] if active else [f"Alerts are off all the same: {markup.code('/alerts start')}."]),
        "",
        *_examples(),
    ]
    choices = tuple(_choice(kind, muted=kind in muted) for kind in _NAMES)
    return Answer(blocks, choices=(*choices, ("all", "alerts all")))


def unknown(word: str) -> Answer:
    """Return the answer to a word that names no kind; nothing has changed."""
    names = ", ".join(_NAMES.values())
    if not word:
        return Answer([f"Which kinds? There are {names}.", *_examples()])
    near = coins.nearest(word.lower(), list(_NAMES.values()), most=1)
    guess = f" Did you mean {markup.code(near[0])}?" if near else ""
    said = markup.code(markup.shortened(word, 40))
    blocks = [f"There is no kind {said}.{guess}", f"There are {names}; nothing has changed."]
    return Answer(blocks)


def _choice(kind: SignalKind, *, muted: bool) -> Button:
    """Return the button that switches a kind; it says which way, however old it is."""
    name = _NAMES[kind]
    return (
        (f"▫️ {name}", f"alerts unmute {name}") if muted else (f"✅ {name}", f"alerts mute {name}")
    )


def _kind(word: str) -> SignalKind:
    known = _KINDS.get(word.lower().removesuffix("s"))
    if known is None:
        raise UnknownKind(word)
    return known


def _examples() -> list[str]:
    return [
        f"{markup.code('/alerts only cascades market')} – these and no others",
        f"{markup.code('/alerts mute volume')} – not these; unmute brings them back",
        f"{markup.code('/alerts all')} – every kind again",
    ]
