"""Nothing from outside breaks Telegram's HTML or makes a message too long."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telegram_gateway.domain import markup, numbers


class Reader(HTMLParser):
    """Reads markup back: open tags, and the text without them."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.tags = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


@given(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])))
def test_any_text_comes_out_as_it_went_in(text):
    for wrap in (markup.plain, markup.bold, markup.italic, markup.code, markup.block):
        found = read(wrap(text))
        assert found.text == text
        assert found.tags <= {"b", "i", "code", "pre"}


@given(st.lists(st.text(max_size=900), max_size=30))
def test_a_message_is_never_too_long_and_never_cut_within_a_block(texts):
    blocks = [markup.bold(text) for text in texts]
    message = markup.message(blocks)
    assert len(message.encode("utf-16-le", errors="replace")) // 2 <= markup.MOST_UNITS
    if "\n".join(blocks) != message:
        assert message.endswith("…")
        whole = "\n".join(blocks)
        assert whole.startswith(message[:-1].rstrip("\n"))


def test_blocks_that_find_no_room_are_left_out_whole():
    message = markup.message([markup.bold("x" * 3_000), markup.bold("y" * 3_000)])
    assert message == markup.bold("x" * 3_000) + "\n…"


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_fits_and_says_that_it_was_cut(text, most):
    short = markup.shortened(text, most)
    assert len(short) <= most
    assert short == text or short.endswith("…")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (980, "$980"),
        (999.6, "$1k"),
        (12_400_000, "$12.4M"),
        (1.24e9, "$1.24B"),
        (-3.5e12, "-$3.50T"),
    ],
)
def test_money_has_three_digits_and_a_scale(value, text):
    assert numbers.usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (83_434.42, "83,434.4"),
        (12.5, "12.5"),
        (3.0, "3"),
        (0.14338, "0.1434"),
        (0.0000123456, "0.0000123456"),
    ],
)
def test_prices_show_the_digits_that_matter(value, text):
    assert numbers.price(value) == text


@pytest.mark.parametrize(
    ("passed_ms", "text"),
    [(-5, "0 s ago"), (59_999, "59 s ago"), (60_000, "1 min ago"), (7_200_000, "2 h ago")],
)
def test_ages_are_in_one_unit(passed_ms, text):
    assert numbers.ago(1_000_000_000_000, 1_000_000_000_000 + passed_ms) == text


def test_times_are_in_utc_and_changes_have_signs():
    assert numbers.clock(1_790_000_000_000) == "14:13:20 UTC"
    assert (numbers.percent(1.25), numbers.percent(-0.004, 2)) == ("+1.2 %", "-0.00 %")
