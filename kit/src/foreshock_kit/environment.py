"""Settings from the environment: every field by its name in capitals, all problems at once."""

import types
from collections.abc import Mapping
from pathlib import Path
from typing import (
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from foreshock_kit.errors import SettingsInvalid

_TRUE: Final = {"1", "true", "yes", "on"}
_FALSE: Final = {"0", "false", "no", "off"}

S = TypeVar("S", bound=msgspec.Struct)


class Secret:
    """A text that prints as `***`. Only `reveal` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


_PLAIN: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Secret: "a secret, or its file by NAME_FILE",
}


def load(wanted: type[S], env: Mapping[str, str]) -> S:
    """Return the settings in `env`: each field by its name in capitals.

    A secret may be in a file that `NAME_FILE` names; lists are comma separated; an empty
    value counts as none. What does not go together a `problems` method says, a line each.

    Raises:
        SettingsInvalid: Something is missing or wrong; it says all of it at once.
    """
    problems: list[str] = []
    values: dict[str, Any] = {}
    hints = get_type_hints(wanted, include_extras=True)
    for field in msgspec.structs.fields(wanted):
        name = field.name.upper()
        try:
            text = _text_of(name, hints[field.name], env)
            if text is not None:
                values[field.name] = _value(text, hints[field.name])
            elif field.required:
                problems.append(f"{name} is missing: {describe(hints[field.name])}")
        except (ValueError, OSError) as e:
            problems.append(f"{name} is wrong: {e}")
    settings, more = _joined(wanted, values)
    told = {line.split()[0] for line in problems}
    more = tuple(line for line in more if line.split()[0] not in told)
    if settings is None or problems or more:
        raise SettingsInvalid((*problems, *more))
    return settings


def names(wanted: type[msgspec.Struct]) -> list[str]:
    """Return the names that `load` reads from the environment."""
    hints = get_type_hints(wanted, include_extras=True)
    found = []
    for field in msgspec.structs.fields(wanted):
        name = field.name.upper()
        found.append(name)
        if _unwrap(hints[field.name])[0] is Secret:
            found.append(f"{name}_FILE")
    return found


def _joined(wanted: type[S], values: Mapping[str, Any]) -> tuple[S | None, tuple[str, ...]]:
    """Return settings of what was right, and what does not go together; None if any lacks."""
    required = {field.name for field in msgspec.structs.fields(wanted) if field.required}
    if not required <= values.keys():
        return None, ()
    try:
        settings = wanted(**values)
    except ValueError as e:
        return None, (str(e),)
    check = getattr(settings, "problems", tuple)
    return settings, check()


def describe(hint: Any) -> str:
    """Return in words what a setting of this type has to be."""
    base, optional = _unwrap(hint)
    origin = get_origin(base)
    if origin is Literal:
        words = " or ".join(str(choice) for choice in get_args(base))
    elif origin is tuple:
        words = f"a comma separated list, each {describe(get_args(base)[0])}"
    else:
        words = _PLAIN.get(getattr(base, "__origin__", base), "a text") + _bounds(base)
    return f"{words}, or nothing" if optional else words


def _bounds(hint: Any) -> str:
    """Return what else holds for a value, "" for nothing."""
    found = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, msgspec.Meta)]
    low = [f"from {each.ge}" for each in found if each.ge is not None]
    above = [f"above {each.gt}" for each in found if each.gt is not None]
    high = [f"to {each.le}" for each in found if each.le is not None]
    like = [f"like {each.pattern}" for each in found if each.pattern is not None]
    return "".join(f" {words}" for words in (*low, *above, *high, *like))


def _text_of(name: str, hint: Any, env: Mapping[str, str]) -> str | None:
    text = env.get(name, "").strip()
    file = env.get(f"{name}_FILE", "").strip()
    if _unwrap(hint)[0] is Secret and file and not text:
        text = Path(file).read_text().strip()
        if not text:
            raise ValueError(f"{file} is empty")
    return text or None


def _value(text: str, hint: Any) -> Any:
    base, _ = _unwrap(hint)
    if base is Secret:
        return Secret(text)
    if base is bool:
        return _bool(text)
    raw: Any = text
    if get_origin(base) is tuple:
        raw = [item.strip() for item in text.split(",") if item.strip()]
    try:
        return msgspec.convert(raw, base, strict=False)
    except msgspec.ValidationError as e:
        raise ValueError(f"{text!r} is not {describe(hint)} ({e})") from e


def _bool(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError(f"{text!r} is neither true nor false")


def _unwrap(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in {Union, types.UnionType}:
        kept = [each for each in get_args(hint) if each is not type(None)]
        return kept[0], len(kept) < len(get_args(hint))
    return hint, False
