"""Who holds a folder's lock, and who only seems to."""

import pytest

from foreshock_cli.lock import AlreadyRunning, held, is_held


def test_one_at_a_time_and_the_second_hears_who(tmp_path):
    file = tmp_path / "run" / "lock"
    with held(file):
        assert is_held(file)
        with pytest.raises(AlreadyRunning, match="already running in this folder"), held(file):
            pass
    assert not is_held(file)


def test_what_is_no_file_of_ours_is_not_held(tmp_path):
    assert not is_held(tmp_path / "lock")
    (tmp_path / "lock").mkdir()
    assert not is_held(tmp_path / "lock")
