"""The core part of casebridge.yaml: version, partners, settings; each system's section is handed in (decisions D17)."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

VERSION = 1
KEY = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
LONGEST_ID = 200  # characters; the longest of the three systems are UUIDs and GLNs


def _id(value: Any, expected: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise ValidationError(f"expected {expected}")
    if len(text := str(value).strip()) > LONGEST_ID:
        raise ValidationError(f"expected {expected}, with {LONGEST_ID} characters at most")
    return text


class ExternalId(fields.Field[str]):
    """An id as its system spells it: text, or a whole number, which is kept as text."""

    expected = "an id: text or a whole number"

    default_error_messages = {"null": f"expected {expected}"}  # noqa: RUF012 -- marshmallow reads it from the class

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return _id(value, self.expected)

    def json_schema(self) -> dict[str, Any]:
        """As JSON Schema says it."""
        return {"anyOf": [{"type": "string", "pattern": r"\S", "maxLength": LONGEST_ID}, {"type": "integer"}]}


class PartnerIds(fields.Field[str | dict[str, str]]):
    """How one system knows a partner: an id, or several by name (`organization: "500"`)."""

    expected = "an id, or a mapping of names to ids"

    default_error_messages = {"null": f"expected {expected}"}  # noqa: RUF012 -- marshmallow reads it from the class

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str | dict[str, str]:
        if not isinstance(value, Mapping):
            return _id(value, self.expected)
        if not value:
            raise ValidationError(f"expected {self.expected}; leave the line out where the partner is unknown")
        ids: dict[str, str] = {}
        faults: dict[str, Any] = {}
        for name, member in value.items():
            try:
                ids[str(name)] = _id(member, ExternalId.expected)
            except ValidationError as error:
                faults[str(name)] = error.messages
        if faults:
            raise ValidationError(faults)
        return ids

    def json_schema(self) -> dict[str, Any]:
        """As JSON Schema says it."""
        one = ExternalId().json_schema()
        return {"anyOf": [*one["anyOf"], {"type": "object", "minProperties": 1, "additionalProperties": one}]}


class PartnerSettings(Schema):
    """Switches of one partner."""

    comments = fields.String(
        load_default="go_on",
        validate=validate.OneOf(("go_on", "block")),
        metadata={"description": "what a comment that cannot be delivered does to those after it (decisions D6)"},
    )


class Settings(Schema):
    """Numbers and switches that hold for all systems."""

    status_settle_seconds = fields.Float(
        load_default=60.0,
        validate=validate.Range(min=0, max=3600),
        metadata={"description": "a status waits this long for a newer one before it is sent"},
    )
    join_window_days = fields.Integer(
        strict=True,
        load_default=30,
        validate=validate.Range(min=0, max=3650),
        metadata={"description": "a thread about the same documents joins a case that is at most this old"},
    )
    webhook_tolerance_seconds = fields.Integer(
        strict=True,
        load_default=86_400,
        validate=validate.Range(min=60, max=604_800),
        metadata={"description": "how old a signed webhook may be (Trading Grid: always 300)"},
    )
    recheck_after_seconds = fields.Float(
        load_default=30.0,
        validate=validate.Range(min=0, max=3600),
        metadata={"description": "a text read longer ago is checked at its source again before a partner gets it"},
    )
    share_internal = fields.Boolean(
        load_default=False,
        metadata={"description": "internal comments are exchanged between Gemini and Zendesk, never with partners"},
    )


def partner_schema(systems: Mapping[str, str]) -> type[Schema]:
    """A line of `partners`; `systems` maps each system's name, which is a key here, to its title for people."""
    ids: dict[str, fields.Field[Any]] = {
        name: PartnerIds(metadata={"description": f"how {title} knows the partner"}) for name, title in systems.items()
    }
    return Schema.from_dict({**_partner(), **ids}, name="Partner")


def config_schema(sections: Mapping[str, type[Schema]], titles: Mapping[str, str]) -> Schema:
    """The whole file: the core part and one section for each connected system."""
    partner = partner_schema({name: titles.get(name, name) for name in sections})
    nested: dict[str, fields.Field[Any]] = {
        name: fields.Nested(section, metadata={"description": f"what holds at {titles.get(name, name)}"})
        for name, section in sections.items()
    }
    return Schema.from_dict({**_core(partner), **nested}, name="Casebridge")()


def _core(partner: type[Schema]) -> dict[str, fields.Field[Any]]:
    return {
        "version": fields.Integer(
            strict=True,
            required=True,
            validate=validate.OneOf((VERSION,)),
            metadata={"description": "the version of this file's format"},
        ),
        "partners": fields.List(
            fields.Nested(partner), load_default=list, metadata={"description": "the partners, one entry each"}
        ),
        "settings": fields.Nested(
            Settings,
            load_default=lambda: dict(Settings().load({})),
            metadata={"description": "what holds for all systems"},
        ),
    }


def _partner() -> dict[str, fields.Field[Any]]:
    key = "letters, digits, dots, dashes and underscores, beginning with a letter or digit, 63 at most"
    return {
        "key": fields.String(
            required=True,
            validate=validate.Regexp(KEY, error=f"expected {key}"),
            metadata={"description": "our own short name of the partner; never changes"},
        ),
        "name": fields.String(load_default="", metadata={"description": "what people call the partner"}),
        "calendar": fields.String(
            load_default="default",
            validate=validate.Length(min=1),
            metadata={"description": "the business calendar that its deadlines run by"},
        ),
        "settings": fields.Nested(
            PartnerSettings,
            load_default=lambda: dict(PartnerSettings().load({})),
            metadata={"description": "what holds for this partner alone"},
        ),
    }
