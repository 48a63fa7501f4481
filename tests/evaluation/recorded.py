"""Recordings as sources: labelled by rule, tuned on the first 60 %."""

from pathlib import Path
from typing import Final

from evaluation.labels import labels
from evaluation.recordings import RECORDINGS, Recording
from evaluation.running import TUNED_SHARE, Parts, Source

FOLDERS: Final = {recording.folder: recording for recording in RECORDINGS}


def there(data: Path) -> list[str]:
    """Return the names of the recordings that a folder has."""
    return [folder for folder in FOLDERS if (data / folder).is_dir()]


def source(data: Path, folder: str) -> Source:
    """Return a recording as a source."""
    recording = FOLDERS[folder]
    return Source(
        data=f"recording:{folder}",
        run="",
        detectors=recording.detectors,
        events=lambda: recording.events(data / folder),
        labels=lambda tape: labels(tape, recording.detectors),
        parts=lambda first_ms, last_ms: _parts(recording, first_ms, last_ms),
    )


def _parts(recording: Recording, first_ms: int, last_ms: int) -> Parts:
    start_ms = max(first_ms, recording.evaluated_from_ms)
    cut_ms = start_ms + int(TUNED_SHARE * (last_ms - start_ms))
    return Parts(start_ms=start_ms, cut_ms=cut_ms, end_ms=last_ms)
