"""Misbehaviour to order: floods, blocks, server errors, lost answers, a second poller."""

from typing import Annotated, Final, Literal

import msgspec

Kind = Literal["flood", "blocked", "server_error", "timeout_after_accept", "conflict"]

_FAULTS_LIMIT: Final = 100


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next `count` requests of a chat (or of any) fail so.

    `conflict` meets getUpdates; the others meet requests with a chat_id, unless `method` names one.
    """

    kind: Kind
    chat_id: int | None = None
    method: str | None = None
    retry_after: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 1
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1

    def meets(self, method: str, chat_id: int | None) -> bool:
        """Say whether a call of `method` (lower case) for `chat_id` is hit."""
        if self.chat_id is not None and self.chat_id != chat_id:
            return False
        if self.method is not None:
            return self.method.lower() == method
        if self.kind == "conflict":
            return method == "getupdates"
        return chat_id is not None


class Faults:
    """The faults in force, in the order in which they were ordered."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def order(self, fault: Fault) -> bool:
        """Take the order, or say False if too many are in force."""
        if len(self._faults) >= _FAULTS_LIMIT:
            return False
        self._faults.append(fault)
        return True

    def clear(self) -> None:
        """Behave again."""
        self._faults.clear()

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """Return the first fault that meets this call, counted as used once."""
        for i, fault in enumerate(self._faults):
            if fault.meets(method, chat_id):
                if fault.count == 1:
                    del self._faults[i]
                else:
                    self._faults[i] = msgspec.structs.replace(fault, count=fault.count - 1)
                return fault
        return None
