"""What the Bot API answers when it refuses, word for word where the words are known."""

from typing import Self


class Refused(Exception):
    """A request that the Bot API answers with an error body."""

    def __init__(self, status: int, description: str, retry_after_s: int | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.retry_after_s = retry_after_s

    @classmethod
    def bad_request(cls, what: str) -> Self:
        """Return the 400 that says `what`."""
        return cls(400, f"Bad Request: {what}")

    @classmethod
    def flood(cls, retry_after_s: int) -> Self:
        """Return the 429 that asks for `retry_after_s` seconds of silence."""
        return cls(429, f"Too Many Requests: retry after {retry_after_s}", retry_after_s)

    @classmethod
    def blocked(cls) -> Self:
        """Return the 403 of a user who has blocked the bot."""
        return cls(403, "Forbidden: bot was blocked by the user")

    @classmethod
    def conflict(cls) -> Self:
        """Return the 409 that ends the older of two polls."""
        return cls(
            409,
            "Conflict: terminated by other getUpdates request; "
            "make sure that only one bot instance is running",
        )

    @classmethod
    def server_error(cls) -> Self:
        """Return the 500 of a Telegram in trouble."""
        return cls(500, "Internal Server Error")

    def body(self) -> dict[str, object]:
        """Return the JSON body that carries this refusal."""
        body: dict[str, object] = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        if self.retry_after_s is not None:
            body["parameters"] = {"retry_after": self.retry_after_s}
        return body
