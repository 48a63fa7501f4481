"""All ways to write a recording give the same frames."""

import gzip

import pytest
import zstandard

from foreshock_cli.main import main
from foreshock_cli.recording import Damaged, Frame, frames

BARE = b'{"e":"trade"}\n\n{"result":null,"id":1}\n'
STAMPED = b'1723161255030314667 {"e":"trade"}\n1723161255088169167 {"result":null,"id":1}\n'
LINES = (
    b'{"t":"header","format":2,"exchange":"X"}\n'
    b'{"t":"http","conn":"x.http","ts":1.0,"url":"u","data":"{}"}\n'
    b'{"t":"connect","conn":"x.ws.1","ts":1.5}\n'
    b'{"t":"recv","conn":"x.ws.1","ts":2.5,"data":"{\\"e\\":\\"trade\\"}"}\n'
    b'{"t":"send","conn":"x.ws.1","ts":2.6,"data":"{}"}\n'
    b'{"t":"recv","conn":"x.ws.1","ts":3.0,"data":"{\\"result\\":null,\\"id\\":1}"}\n'
)
DATA = [b'{"e":"trade"}', b'{"result":null,"id":1}']


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize("text", [BARE, STAMPED, LINES])
def test_every_way_is_read(tmp_path, text, pack):
    file = tmp_path / "recording"
    file.write_bytes(pack(text))
    assert [frame.data for frame in frames(file)] == DATA


def test_receive_times_are_kept(tmp_path):
    file = tmp_path / "recording"
    file.write_bytes(STAMPED)
    assert next(frames(file)) == Frame(DATA[0], 1723161255030314667)
    file.write_bytes(LINES)
    assert [f.recv_ns for f in frames(file)] == [2_500_000_000, 3_000_000_000]


def test_a_frame_that_mentions_conn_is_a_frame(tmp_path):
    file = tmp_path / "recording"
    file.write_bytes(b'{"success":true,"conn":"c"}\nnot json "conn"\n')
    assert [f.data for f in frames(file)] == [b'{"success":true,"conn":"c"}', b'not json "conn"']


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing-here"):
        list(frames(tmp_path / "nothing-here"))


@pytest.mark.parametrize("spoil", [lambda packed: packed[:-9], lambda packed: packed[:-2] + b"xx"])
def test_a_spoilt_archive_is_named_with_what_was_good(tmp_path, spoil):
    file = tmp_path / "recording.gz"
    file.write_bytes(spoil(gzip.compress(BARE)))
    with pytest.raises(Damaged, match=r"recording\.gz is cut off or broken after [02] good frames"):
        list(frames(file))


def test_a_spoilt_archive_of_the_other_kind_is_named_too(tmp_path):
    file = tmp_path / "recording.zst"
    file.write_bytes(zstandard.compress(BARE)[:6] + b"xxxxxxxxxx")
    with pytest.raises(Damaged, match=r"recording\.zst"):
        list(frames(file))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no frames in"),
        (gzip.compress(b"", mtime=0), "no frames in"),
        (gzip.compress(BARE, mtime=0)[:-9], "cut off or broken"),
        (b"dear diary\nit rained\n", "none of the 2 lines of"),
    ],
)
def test_what_cannot_be_replayed_is_told_at_once(tmp_path, capsys, content, said):
    file = tmp_path / "recording"
    file.write_bytes(content)
    assert main(["replay", str(file)]) == 1
    answer = capsys.readouterr()
    assert said in answer.err
    assert answer.out == ""


def test_a_line_without_end_is_no_recording_and_fills_no_memory(tmp_path):
    file = tmp_path / "recording"
    file.write_bytes(gzip.compress(BARE + b"x" * (65 << 20), 1))
    with pytest.raises(Damaged, match=r"after 2 good frames .*64 MiB"):
        list(frames(file))
