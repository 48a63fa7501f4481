"""Events for tests that care about a few of their fields."""

import types
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

SAMPLE_MS: Final = 1_790_000_000_000

E = TypeVar("E", bound=msgspec.Struct)


def sample(kind: type[E], /, **fields: Any) -> E:
    """Return an event (or a part of one) with these fields and plausible others.

    Times are `SAMPLE_MS`, numbers 1, texts their field's name, lists empty, what may be missing
    is missing.
    """
    hints = get_type_hints(kind)
    missing = [
        field.name
        for field in msgspec.structs.fields(kind)
        if field.required and field.name not in fields
    ]
    return kind(**fields | {name: _plausible(name, hints[name]) for name in missing})


def _plausible(name: str, hint: Any) -> Any:
    origin = get_origin(hint)
    if origin in {Union, types.UnionType}:
        return None
    if origin is Literal:
        return get_args(hint)[0]
    if name.endswith("_ms"):
        return SAMPLE_MS
    return name if hint is str else (origin or hint)(*([1] if hint in {int, float, bool} else []))
