"""Telegram's HTML parse mode: text and entities out of tags, or the real API's refusal.

The rules and the words follow https://core.telegram.org/bots/api#html-style and what the real
server answers: names and attributes are not case sensitive, only four named entities exist, an
end tag may be empty, and offsets in errors count bytes of the UTF-8 text that was sent.
"""

import re
from typing import Final

import msgspec

from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.model import Entity, Formatted

_TYPES: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE: Final = re.compile(r"&(?:(lt|gt|amp|quot)|#(\d{1,8})|#[xX]([0-9a-fA-F]{1,6}));?")
_NAME_END: Final = re.compile(r"[\s>]")
_ATTRIBUTE: Final = re.compile(r"""\s*([^\s=>/"']+)\s*(=?)\s*""")
_SPECIAL: Final = re.compile(r"[<&]")
_URL: Final = re.compile(r"(https?|tg|ton|mailto|tel):|[\w-]+\.\w", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[A-Za-z0-9.-]*")
_COMMAND: Final = re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/])")
_OPAQUE: Final = frozenset({"code", "pre", "text_link"})


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 units, which is what entities count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse_html(html: str) -> Formatted:
    """Return the text and entities of `html`, trimmed as Telegram trims.

    Raises:
        Refused: The markup is broken; the description says how and where.
    """
    return _trimmed(_Parser(html).parsed())


def plain(text: str) -> Formatted:
    """Return `text` as it is, trimmed."""
    return Formatted(text=text.strip())


def with_commands(content: Formatted) -> Formatted:
    """Add a `bot_command` entity for every command outside code and links, as the server does."""
    hidden = [(e.offset, e.offset + e.length) for e in content.entities if e.type in _OPAQUE]
    found = []
    for match in _COMMAND.finditer(content.text):
        start = units(content.text[: match.start()])
        if not any(a <= start < b for a, b in hidden):
            found.append(Entity(type="bot_command", offset=start, length=units(match.group())))
    entities = sorted((*content.entities, *found), key=lambda e: (e.offset, -e.length))
    return Formatted(text=content.text, entities=tuple(entities))


class _Parser:
    def __init__(self, html: str) -> None:
        self._html = html
        self._at = 0
        self._out: list[str] = []
        self._length = 0
        self._open: list[tuple[str, dict[str, str], int, int]] = []
        self._entities: list[Entity] = []

    def parsed(self) -> Formatted:
        while self._at < len(self._html):
            char = self._html[self._at]
            if char == "<":
                closing = self._html.startswith("</", self._at)
                (self._end_tag if closing else self._start_tag)()
            elif char == "&":
                self._reference()
            else:
                run = self._html[self._at : _run_end(self._html, self._at)]
                self._emit(run, len(run))
        if self._open:
            name = self._open[-1][0]
            raise _broken(f'Can\'t find end tag corresponding to start tag "{name}"')
        entities = sorted(self._entities, key=lambda e: (e.offset, -e.length))
        return Formatted(text="".join(self._out), entities=tuple(entities))

    def _emit(self, text: str, consumed: int) -> None:
        self._out.append(text)
        self._length += units(text)
        self._at += consumed

    def _reference(self) -> None:
        match = _REFERENCE.match(self._html, self._at)
        text = _referred(match) if match else ""
        self._emit(text or "&", match.end() - self._at if match and text else 1)

    def _where(self, position: int) -> str:
        return f"at byte offset {len(self._html[:position].encode('utf-8', 'surrogatepass'))}"

    def _start_tag(self) -> None:
        begin = self._at
        end = _NAME_END.search(self._html, begin + 1)
        if end is None:
            raise _broken(f"Unclosed start tag {self._where(begin)}")
        name = self._html[begin + 1 : end.start()].lower()
        if name not in _TYPES:
            raise _broken(f'Unsupported start tag "{name}" {self._where(begin)}')
        self._at = end.start()
        attributes = self._attributes(name, begin)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise _broken(f'Tag "span" must have class "tg-spoiler" {self._where(begin)}')
        self._open.append((name, attributes, self._length, len(self._out)))

    def _attributes(self, tag: str, begin: int) -> dict[str, str]:
        attributes: dict[str, str] = {}
        while True:
            rest = self._html[self._at :]
            self._at += len(rest) - len(rest.lstrip())
            if self._at >= len(self._html):
                raise _broken(f"Unclosed start tag {self._where(begin)}")
            if self._html[self._at] == ">":
                self._at += 1
                return attributes
            match = _ATTRIBUTE.match(self._html, self._at)
            if match is None:
                where = self._where(begin)
                raise _broken(f'Empty attribute name in the tag "{tag}" {where}')
            self._at = match.end()
            attributes[match.group(1).lower()] = self._value(begin) if match.group(2) else ""

    def _value(self, begin: int) -> str:
        start = self._at
        quote = self._html[start : start + 1]
        if quote in ("'", '"'):
            end = self._html.find(quote, start + 1)
            if end < 0:
                raise _broken(f"Unclosed start tag {self._where(begin)}")
            self._at = end + 1
            return _REFERENCE.sub(_referred, self._html[start + 1 : end])
        token = _TOKEN.match(self._html, start)
        self._at = token.end() if token else start
        if self._html[self._at : self._at + 1].strip(" \t\r\n\v>"):
            raise _broken(f"Unexpected end of name token {self._where(start)}")
        return self._html[start : self._at].lower()

    def _end_tag(self) -> None:
        begin = self._at
        if not self._open:
            raise _broken(f"Unexpected end tag {self._where(begin)}")
        close = self._html.find(">", begin)
        name = self._html[begin + 2 : close].rstrip() if close >= 0 else " "
        if re.search(r"\s", name):
            raise _broken(f"Unclosed end tag {self._where(begin)}")
        tag, attributes, offset, out_index = self._open.pop()
        if name and name.lower() != tag:
            where = f'{self._where(begin)}, expected "</{tag}>", found "</{name}>"'
            raise _broken(f"Unmatched end tag {where}")
        self._at = close + 1
        if self._length > offset:
            self._close(tag, attributes, offset, "".join(self._out[out_index:]))

    def _close(self, tag: str, attributes: dict[str, str], offset: int, inner: str) -> None:
        entity = Entity(type=_TYPES[tag], offset=offset, length=self._length - offset)
        language = attributes.get("class", "").removeprefix("language-")
        if tag == "code" and language != attributes.get("class", "") and self._inside("pre"):
            self._open[-1][1]["language"] = language
            return
        detailed = _detailed(entity, tag, attributes, inner)
        if detailed is not None:
            self._entities.append(detailed)

    def _inside(self, tag: str) -> bool:
        return bool(self._open) and self._open[-1][0] == tag


def _detailed(entity: Entity, tag: str, attributes: dict[str, str], inner: str) -> Entity | None:
    match tag:
        case "a":
            url = attributes.get("href") or inner
            return msgspec.structs.replace(entity, url=url) if _URL.match(url) else None
        case "blockquote" if "expandable" in attributes:
            return msgspec.structs.replace(entity, type="expandable_blockquote")
        case "tg-emoji":
            return msgspec.structs.replace(entity, custom_emoji_id=attributes.get("emoji-id", ""))
        case "pre" if "language" in attributes:
            return msgspec.structs.replace(entity, language=attributes["language"])
    return entity


def _run_end(html: str, at: int) -> int:
    special = _SPECIAL.search(html, at)
    return special.start() if special else len(html)


def _broken(what: str) -> Refused:
    return Refused.bad_request(f"can't parse entities: {what}")


def _referred(match: re.Match[str]) -> str:
    named, decimal, hexadecimal = match.groups()
    if named:
        return _NAMED[named]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()


def _trimmed(content: Formatted) -> Formatted:
    lead = units(content.text) - units(content.text.lstrip())
    text = content.text.strip()
    length = units(text)
    kept = []
    for entity in content.entities:
        start = min(max(entity.offset - lead, 0), length)
        end = min(max(entity.offset + entity.length - lead, 0), length)
        if end > start:
            changed = msgspec.structs.replace(entity, offset=start, length=end - start)
            kept.append(changed)
    return Formatted(text=text, entities=tuple(kept))
