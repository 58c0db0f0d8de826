"""How the site says no: ASP.NET Web API's error object with a status."""

from __future__ import annotations


class RefusedError(Exception):
    """A request that is not carried out, with its HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, str]:
        """The answer's body (shape inferred from the server's stack)."""
        return {
            "Message": "An error has occurred.",
            "ExceptionMessage": self.message,
            "ExceptionType": "Countersoft.Gemini.Commons.GeminiException",
            "StackTrace": "",
        }
