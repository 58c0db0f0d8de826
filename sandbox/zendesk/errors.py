"""The refusals of the API, in the bodies of the system sheet's section 7."""

from __future__ import annotations

from collections.abc import Mapping

from .data import JsonObject


class ApiError(Exception):
    """A request that is refused: status, JSON body and extra headers."""

    def __init__(self, status: int, body: JsonObject, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body.get('error')}")
        self.status, self.body, self.headers = status, body, dict(headers or {})

    @property
    def reason(self) -> str:
        """One sentence for a person."""
        details = self.body.get("details")
        if isinstance(details, dict):
            return "; ".join(str(item["description"]) for items in details.values() for item in items)
        return str(self.body.get("description") or self.body.get("error"))


def unauthenticated() -> ApiError:
    """401: no, wrong or expired credentials."""
    return ApiError(401, {"error": "Couldn't authenticate you"}, {"www-authenticate": 'Bearer realm="Zendesk"'})


def forbidden() -> ApiError:
    """403 as the role check says it: `error` is a string."""
    return ApiError(
        403,
        {
            "error": "Forbidden",
            "description": "You do not have access to this page. Please contact "
            "the account owner of this help desk for further help.",
        },
    )


def out_of_scope() -> ApiError:
    """403 as the token check says it: `error` is an object."""
    return ApiError(
        403,
        {
            "error": {
                "title": "Forbidden",
                "message": "You do not have access to this page. Please "
                "contact the account owner of this help desk for further help.",
            }
        },
    )


def not_found() -> ApiError:
    """404: deleted, merged away, never there, or not to be seen."""
    return ApiError(404, {"error": "RecordNotFound", "description": "Not found"})


def bad_request(error: str, description: str, **more: object) -> ApiError:
    """400 with a name and a sentence."""
    return ApiError(400, {"error": error, "description": description, **more})


def must_be(name: str, kind: str, where: str) -> ApiError:
    """400 for a value of the wrong JSON type, e.g. an id sent as text."""
    return ApiError(
        400,
        {
            "error": {
                "title": "Invalid attribute",
                "message": f"You passed an invalid value for the {name} attribute. "
                f"Invalid parameter: {name} must be an {kind} from api/v2/{where}",
            }
        },
    )


def invalid(field: str, description: str) -> ApiError:
    """422: the record would not be valid."""
    return ApiError(
        422,
        {
            "error": "RecordInvalid",
            "description": "Record validation errors",
            "details": {field: [{"description": description}]},
        },
    )


def closed() -> ApiError:
    """422: a closed ticket cannot be changed."""
    return invalid("status", "Status: closed prevents ticket update")


def update_conflict() -> ApiError:
    """409: the stamp of a safe update is not the ticket's `updated_at`."""
    return ApiError(
        409,
        {
            "error": "UpdateConflict",
            "description": "Safe Update prevented the update due to outdated "
            "ticket data. Please fetch the latest ticket data and try again.",
        },
    )


def too_many(limit: str, total: int, retry_after: int) -> ApiError:
    """429 with the seconds to wait and the limit's own header."""
    return ApiError(
        429,
        {"error": "APIRateLimitExceeded", "description": f"Number of allowed API requests exceeded ({limit})"},
        {
            "retry-after": str(retry_after),
            f"zendesk-ratelimit-{limit}": f"total={total}; remaining=0; resets={retry_after}",
        },
    )
